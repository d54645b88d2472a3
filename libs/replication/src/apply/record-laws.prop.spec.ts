import { type Entry, changeRef, patchOf, rankOf } from '@meridian/core';
import fc from 'fast-check';
import { POLICIES } from './policy-columns.builder.js';
import { RowReplicas, type Write } from './row-replicas.builder.js';
import { anyDelete, runs, streamSteps, take } from './row-steps.builder.js';

/*
 * I3 as a user means it: of every write that is not in the row, either somebody wrote over it, or deleted the row, who had it in front
 * of them, or an open record tells of it. Who wrote over another value had not seen it, though it may have been in their log.
 */

const DECIDED_WHOLE = POLICIES.filter(({ registers }) =>
  registers.every(({ policy: { kind } }) => !['set', 'grow-set', 'map', 'text', 'merge'].includes(kind)),
).filter(({ registers }) => registers.length > 0);

describe.each(DECIDED_WHOLE)('$policy', (table) => {
  it('has of each write that nobody saw and wrote over, and that does not stand, an open record (I3)', () => {
    fc.assert(
      fc.property(
        anyDelete,
        fc.array(streamSteps(3), { minLength: 10, maxLength: 40, size: 'max' }),
        (onDelete, steps) => {
          const rows = new RowReplicas({
            ...{ table, delete: onDelete, wildClocks: false },
            batches: { us: 1, eu: 100, ap: 2 },
          });
          const seen = new Seen(rows, Object.keys(table.start));
          rows.write({ region: 0, remove: false, draw: 0, clock: 1 });
          rows.exchange();
          for (const step of steps) {
            if (step.do === 'write') seen.before(step.write);
            take(rows, step);
          }
          rows.exchange();
          expect(seen.lost()).toEqual([]);
        },
      ),
      { numRuns: runs(150) },
    );
  });
});

/** What writers had in front of them. */
class Seen {
  /** By column and change. */
  private readonly writtenOver = new Set<string>();

  constructor(
    private readonly rows: RowReplicas,
    private readonly columns: readonly string[],
  ) {}

  before({ region, remove }: Write): void {
    const { row, log } = this.rows.replicas[region]!;
    for (const entry of log)
      for (const column of this.columns)
        if (Object.hasOwn(patchOf(entry), column))
          if (remove || row === null || this.showsIn(row, entry)) this.writtenOver.add(nameOf(entry, column));
  }

  /** Writes of which nothing tells. */
  lost(): string[] {
    return this.rows.replicas.flatMap(({ name, row, log, records }) => {
      const own = log.filter((e) => e.origin === name && e.op !== 'delete');
      const told = new Set(
        [...records.values()]
          .filter(({ status }) => status === 'open')
          .flatMap(({ loser, overwritten }) =>
            overwritten.flatMap(({ columns }) =>
              (columns.length === 0 ? this.columns : columns).map((c) => `${c} ${changeRef(loser)}`),
            ),
          ),
      );
      return own
        .filter((e) => row === null || !this.showsIn(row, e))
        .flatMap((e) => this.columns.filter((c) => Object.hasOwn(patchOf(e), c)).map((c) => nameOf(e, c)))
        .filter((written) => !this.writtenOver.has(written) && !told.has(written));
    });
  }

  private readonly showsIn = (row: Readonly<Record<string, string | null>>, e: Entry): boolean =>
    this.columns.every((c) => !Object.hasOwn(patchOf(e), c) || patchOf(e)[c] === row[c]);
}

/** A folded change's columns have the ids of their own writes. */
const nameOf = (e: Entry, column: string): string =>
  `${column} ${changeRef({ origin: e.origin, id: rankOf(e, column).id })}`;
