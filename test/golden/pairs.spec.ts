import { runScenario } from '@meridian/testkit';
import { expectGolden } from './golden-file';
import { ARRIVALS, DELETE_POLICIES, OPERATIONS, pairScript } from './pairs';

/** What comes of it, whatever the order in which ap got the two. */
function outcome(inUs: string, inEu: string, policy: string): string {
  const [first, second] = ARRIVALS.map((atAp) => runScenario(pairScript(inUs, inEu, policy, atAp)));
  expect(second).toBe(first);
  return first!;
}

function table(): string {
  const blocks = OPERATIONS.flatMap((inUs) =>
    OPERATIONS.map((inEu) => {
      const byPolicy = DELETE_POLICIES.map((policy) => [policy, outcome(inUs, inEu, policy)] as const);
      const same = byPolicy.every(([, text]) => text === byPolicy[0]![1]);
      const told = same ? [['any policy', byPolicy[0]![1]] as const] : byPolicy;
      return [`us: ${name(inUs, '1')}   eu, later: ${name(inEu, '2')}`, ...told.map(([p, text]) => indented(p, text))].join('\n');
    }),
  );
  return [HEAD, ...blocks].join('\n\n') + '\n';
}

const HEAD = `Every pair of writes to one row (n=10) in two regions that do not see each other, and what all regions hold in the end.
A third region got them in both orders, and holds the same. "insert" stands for a delete and an insert anew.
Written by pairs.spec.ts; MERIDIAN_REWRITE=1 writes it anew.`;
const name = (operation: string, value: string) => (operation.endsWith('=') ? operation + value : operation);
const indented = (policy: string, text: string) => {
  const [first, ...rest] = text.split('\n');
  return [`  ${`${policy}:`.padEnd(13)}${first}`, ...rest.map((line) => ' '.repeat(15) + line)].join('\n');
};

describe('every pair of concurrent writes', () => {
  it('ends the same in all regions, in both orders of arrival, as the table says (I2, I3, I6, I7)', () => {
    expectGolden('pairs.txt', table());
  });
});
