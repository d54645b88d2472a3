import { patchOf } from '@meridian/core';
import fc from 'fast-check';
import { ALL_POLICIES } from './policy-columns.builder.js';
import { type Replica, RowReplicas, sorted } from './row-replicas.builder.js';
import { anyDelete, runs, streamSteps, take } from './row-steps.builder.js';

/*
 * The first region applies tick by tick, the second as many at a time as are ready, the third two at a time. Whether a change goes
 * the fast way or the contended one, alone or in a batch, must not show in the row, nor in the image of a deleted one.
 */

describe('laws of what a batch does to a row', () => {
  it('regions that apply one by one and many at a time end with one row, and counters add up (I2, I6, I7)', () => {
    fc.assert(
      fc.property(
        anyDelete,
        fc.array(streamSteps(3), { maxLength: 50, size: 'max' }),
        fc.boolean(),
        (onDelete, steps, wildClocks) => {
          const options = { table: ALL_POLICIES, delete: onDelete, wildClocks, batches: { us: 1, eu: 100, ap: 2 } };
          const rows = new RowReplicas(options);
          for (const step of steps) take(rows, step);
          rows.exchange();
          const [one, all, two] = rows.replicas as [Replica, Replica, Replica];
          expect(sorted(all.row)).toEqual(sorted(one.row));
          expect(sorted(two.row)).toEqual(sorted(one.row));
          const writes = one.log.filter((e) => e.op !== 'delete');
          if (writes.filter((e) => e.op === 'insert').length === 1 && writes.length === one.log.length)
            expect(Number(one.row!['n'])).toBe(writes.reduce((sum, e) => sum + Number(patchOf(e)['n'] ?? 0), 0));
        },
      ),
      { numRuns: runs(300) },
    );
  });
});
