import type { Tick } from '@meridian/core';
import fc from 'fast-check';
import { Inbox } from '../receive/inbox.js';
import { POLICIES } from './policy-columns.builder.js';
import { type RowOptions, RowReplicas, sorted } from './row-replicas.builder.js';
import { anyDelete, runs, stateSteps, streamSteps, take, writesIn } from './row-steps.builder.js';

/*
 * What is asked of a replicated data type (Shapiro et al., A comprehensive study of CRDTs), of every policy: one result in whatever
 * order and grouping its writes arrive; nothing by repetition; the same by state as by the stream; and where nobody writes
 * beside another, what one database would hold.
 */

const REGIONS = { us: 1, eu: 3, ap: 100, sa: 1 };
const COUNT = Object.keys(REGIONS).length;

describe.each(POLICIES)('$policy', (table) => {
  const replicasOf = (more: Pick<RowOptions, 'delete' | 'wildClocks'>): RowReplicas =>
    new RowReplicas({ table, batches: REGIONS, ...more });

  it('has one result, whatever the order and the grouping of what arrives: commutative, associative (I2, I6)', () => {
    fc.assert(
      fc.property(
        anyDelete,
        fc.boolean(),
        fc.array(streamSteps(3), { maxLength: 20, size: 'max' }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
        (onDelete, wildClocks, steps, sizes) => {
          const rows = new RowReplicas({
            ...{ table, delete: onDelete, wildClocks },
            batches: { us: 1, eu: 100, ap: 2 },
          });
          for (const step of steps) take(rows, step);
          rows.exchange();
          const [first, ...others] = rows.replicas.map((r) => sorted(r.row));
          for (const other of others) expect(other).toEqual(first);
          for (const order of rows.orders(60)) expect(sorted(rows.observer(order, sizes).row)).toEqual(first);
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('takes what arrives again, and too early, as if it had come once: idempotent', () => {
    fc.assert(
      fc.property(
        anyDelete,
        fc.array(streamSteps(3), { maxLength: 25, size: 'max' }),
        fc.infiniteStream(fc.nat({ max: 1000 })),
        (onDelete, steps, draws) => {
          const rows = replicasOf({ delete: onDelete, wildClocks: false });
          for (const step of steps) take(rows, step);
          rows.exchange();
          const row = sorted(rows.replicas[0]!.row);
          expect(sorted(delivered(rows, draws))).toEqual(row);
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('is the same by state as by the stream, also for who takes over in the middle and writes on (I2)', () => {
    fc.assert(
      fc.property(
        anyDelete,
        fc.boolean(),
        fc.array(stateSteps(COUNT), { maxLength: 50, size: 'max' }),
        (onDelete, wildClocks, steps) => {
          const rows = replicasOf({ delete: onDelete, wildClocks });
          for (const step of steps) {
            take(rows, step);
            rows.expectEqualWhereVectorsAre();
          }
          rows.exchange();
          rows.expectEqualWhereVectorsAre();
          const [order] = rows.orders(1);
          expect(sorted(rows.observer(order!, [1]).row)).toEqual(sorted(rows.replicas[0]!.row));
        },
      ),
      { numRuns: runs(120) },
    );
  });

  it('is what one database would hold where every writer has seen all before, and nothing is decided', () => {
    fc.assert(
      fc.property(anyDelete, fc.array(writesIn(COUNT), { maxLength: 12 }), (onDelete, writes) => {
        const rows = replicasOf({ delete: onDelete, wildClocks: true });
        for (const write of writes) {
          rows.write(write);
          const written = sorted(rows.replicas[write.region]!.row);
          rows.exchange();
          for (const { row } of rows.replicas) expect(sorted(row)).toEqual(written);
        }
        expect(rows.decisions).toBe(0);
      }),
      { numRuns: runs(60) },
    );
  });
});

/** All ticks, some of them twice and thrice, in no order, through the inbox that a receiver puts them into. */
function delivered(rows: RowReplicas, draws: Iterator<number>) {
  const inbox = new Inbox(1e9);
  const observer = rows.observer([], [1]);
  const left = rows.ticks.flatMap((tick) => [tick, tick, tick]);
  while (left.length > 0) {
    const [tick] = left.splice((draws.next().value as number) % left.length, 1) as [Tick];
    inbox.put({ tick, position: null });
    while (rows.apply(observer, (origin, seq) => inbox.get(origin, seq)?.tick)) inbox.drop(observer.applied);
  }
  return observer.row;
}
