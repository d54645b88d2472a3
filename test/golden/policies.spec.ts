import { runScenario } from '@meridian/testkit';
import { expectGolden } from './golden-file';
import { ARRIVALS } from './pairs';

/** What x holds at first, and what is written to it. */
const VALUES: Readonly<Record<string, { readonly first: string; readonly writes: readonly string[] }>> = {
  hlc: { first: '1', writes: ['5', '7'] },
  'x:first-write': { first: '1', writes: ['5', '7'] },
  'x:region-priority': { first: '1', writes: ['5', '7'] },
  'x:max': { first: '1', writes: ['5', '-7'] },
  'x:min': { first: '1', writes: ['5', '-7'] },
  'x:flag': { first: 'false', writes: ['true', 'false'] },
  'x:manual': { first: '1', writes: ['5', '7'] },
  'x:register': { first: '1', writes: ['5', '7'] },
  'x:set': { first: '{r}', writes: ['{r,g}', '{}', '{b}', '{r,"a,b"}'] },
  'x:grow-set': { first: '{r}', writes: ['{r,g}', '{b,r}'] },
  'x:text': {
    first: 'the-quick-fox',
    writes: ['the-slow-fox', 'the-quick-fox-jumps', 'a-quick-fox', 'the-fox'],
  },
  'x:map': { first: '{"k":1}', writes: ['{"k":2}', '{"k":1,"l":3}', '{}', '{"k":{"deep":4}}'] },
};

/** The second is written a little later, neither region having seen the other's; ap gets them in both orders. */
function outcome(policy: string, first: string, inUs: string, inEu: string): string {
  const writes = [commandOf('us', inUs), commandOf('eu', inEu)].flat();
  const [one, other] = ARRIVALS.map((atAp) =>
    runScenario([`policy ${policy}`, `us insert x=${first}`, 'all', ...writes, ...atAp, 'all'].join('\n')),
  );
  expect(other).toBe(one);
  return one!;
}

const commandOf = (region: string, operation: string): string[] => {
  if (operation === 'delete') return [`${region} delete`];
  if (operation.startsWith('anew ')) return [`${region} delete`, `${region} insert x=${operation.slice(5)}`];
  return [`${region} update x=${operation}`];
};

function table(): string {
  const blocks = Object.entries(VALUES).map(([policy, { first, writes }]) => {
    const operations = [...writes, 'delete', `anew ${writes[0]}`];
    const pairs = operations.flatMap((inUs) =>
      operations.map((inEu) => {
        const [held, ...records] = outcome(policy, first, inUs, inEu).split('\n');
        return [`  us ${inUs}   eu ${inEu}   =>   ${held}`, ...records.map((r) => `      ${r}`)].join('\n');
      }),
    );
    return [`== ${policy.replace('x:', '')}, x=${first} at first`, ...pairs].join('\n');
  });
  return [HEAD, ...blocks].join('\n\n') + '\n';
}

const HEAD = `Every pair of writes to one column (x) in two regions that do not see each other, by every policy, and what all regions hold in the
end. eu writes a little later; a third region got the two in both orders, and holds the same. "anew" stands for a delete and an insert.
Written by policies.spec.ts; MERIDIAN_REWRITE=1 writes it anew.`;

describe('every policy', () => {
  it('ends every pair of writes the same in all regions, in both orders of arrival, as the table says (I2, I3, I6)', () => {
    expectGolden('policies.txt', table());
  });
});
