/** Writes to one row, as scenarios have them; "insert x=" stands for a delete and an insert anew. */
export const OPERATIONS = ['update x=', 'update y=', 'update a=', 'add n=', 'touch', 'delete', 'insert x='] as const;
export const DELETE_POLICIES = ['update-wins', 'delete-wins', 'by-stamp'] as const;

/** Each got by ap in its turn. */
export const ARRIVALS = [
  ['us -> ap', 'eu -> ap'],
  ['eu -> ap', 'us -> ap'],
] as const;

/** In us at first and in eu a little later, neither having seen the other. */
export function pairScript(inUs: string, inEu: string, policy: string, atAp: readonly string[]): string {
  const write = (region: string, operation: string, value: string) =>
    operation === 'insert x='
      ? [`${region} delete`, `${region} insert x=${value}`]
      : [`${region} ${operation.endsWith('=') ? operation + value : operation}`];
  const writes = [...write('us', inUs, '1'), ...write('eu', inEu, '2')];
  return [`policy ${policy}`, 'us insert n=10', 'all', ...writes, ...atAp, 'all'].join('\n');
}
