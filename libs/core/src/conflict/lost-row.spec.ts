import type { RowKey, TableName } from '../ids.js';
import { regionId } from '../ids.js';
import { forgottenVersion } from './lost-row.js';
import type { ConflictRecord, Overwritten } from './record.js';
import { remedyOf } from './remedy.js';

const us = regionId('us');
const row = { id: '2', email: 'a@x', v: 'later', n: '7' };

function acted(overwritten: Pick<Overwritten, 'columns' | 'policy' | 'lost' | 'result'>): ConflictRecord {
  const loser = forgottenVersion(null, us, { email: 'a@x', v: 'first', n: '1' });
  return {
    ...{ id: 'x', table: 'public.customers' as TableName, key: '["2"]' as RowKey, kind: 'update_exists', region: us },
    ...{ status: 'resolved', loser, versions: [loser], base: row, reason: '' },
    overwritten: [{ ...overwritten, part: null, epoch: 1, winner: { origin: us, id: 0 }, reason: '' }],
    result: overwritten.result === null ? null : { ...row, ...overwritten.result },
  };
}

const NOW = { registers: [], counters: ['n'], countersAt: () => ['n'] };

describe('undo of what the policy of a key did', () => {
  it('gives the value back that was renamed', () => {
    const record = acted({
      ...{ columns: ['email'], policy: 'rename', lost: { email: 'a@x' }, result: { email: 'a@x (us)' } },
    });
    expect(remedyOf(record, { kind: 'undo' }, NOW)).toEqual({ kind: 'write', values: { email: 'a@x' }, whole: row });
  });

  it('gives the row back as it was deleted, and not as the write that lost had it', () => {
    const record = acted({ columns: [], policy: 'delete', lost: row, result: null });
    expect(remedyOf(record, { kind: 'undo' }, NOW)).toEqual({ kind: 'write', values: row, whole: row });
  });
});
