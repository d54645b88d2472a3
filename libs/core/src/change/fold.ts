import { type RowRef, rowId } from '../ids.js';
import { equalVectors } from '../vector.js';
import { addDecimals } from './decimal.js';
import {
  type Change,
  type Rank,
  type Ranks,
  beforeOf,
  isTouch,
  parseValues,
  patchOf,
  rankOf,
  valuesText,
} from './change.js';

/** Names of a table's counter columns, whose differences add up, at the epoch under which a change of it was written. */
export type CountersOf = (change: Pick<Change, 'table' | 'epoch'>) => ReadonlySet<string>;

/**
 * Folds a tick's changes (in the order of writing): an update folds into the insert or update of the same row before it,
 * and every column keeps the rank of its own write. Nothing folds over a delete, over another `unseen` or policy epoch, and a
 * touch folds into another touch only: with the columns of another write it would no longer count as one.
 * Rows that changed once, nearly all, pass through unparsed. A hot row written 1,000 times costs one change a tick.
 */
export function foldChanges(changes: readonly Change[], countersOf: CountersOf): Change[] {
  const slots: (Change | Fold)[] = [];
  const last = new Map<string, number>();
  for (const change of changes) {
    const row = rowId(change satisfies RowRef);
    const slot = last.get(row);
    const before = slot === undefined ? undefined : slots[slot]!;
    if (slot === undefined || before === undefined || !foldable(headOf(before), change)) {
      last.set(row, slots.push(change) - 1);
      continue;
    }
    const fold = before instanceof Fold ? before : new Fold(before, countersOf(change));
    fold.add(change);
    slots[slot] = fold;
  }
  return slots.map((slot) => (slot instanceof Fold ? slot.result() : slot));
}

const headOf = (slot: Change | Fold): Change => (slot instanceof Fold ? slot.last : slot);

const foldable = (first: Change, next: Change): boolean =>
  next.op === 'update' &&
  first.op !== 'delete' &&
  first.epoch === next.epoch &&
  equalVectors(first.unseen ?? {}, next.unseen ?? {}) &&
  isTouch(first) === isTouch(next);

/** Several writes of one row on their way to one change. */
class Fold {
  last: Change;
  private readonly patch: Map<string, string | null>;
  private readonly before: Map<string, string | null>;
  private readonly ranks = new Map<string, Rank>();

  constructor(
    private readonly first: Change,
    private readonly counters: ReadonlySet<string>,
  ) {
    this.last = first;
    this.patch = new Map(Object.entries(patchOf(first)));
    this.before = new Map(Object.entries(beforeOf(first)));
    this.rankColumns(first);
  }

  add(next: Change): void {
    for (const [column, value] of Object.entries(patchOf(next))) this.patch.set(column, this.merged(column, value));
    for (const [column, value] of Object.entries(beforeOf(next)))
      if (!this.before.has(column)) this.before.set(column, value);
    this.rankColumns(next);
    // An insert stays an insert, but it is the last write of the row: its id and stamp are the last write's.
    this.last = { ...next, op: this.first.op };
  }

  private merged(column: string, value: string | null): string | null {
    const held = this.patch.get(column);
    return this.counters.has(column) && held != null && value !== null ? addDecimals(held, value) : value;
  }

  private rankColumns(change: Change): void {
    for (const column of Object.keys(change.patch === null ? {} : parseValues(change.patch)))
      this.ranks.set(column, rankOf(change, column));
  }

  result(): Change {
    const { last } = this;
    return {
      ...last,
      patch: valuesText(Object.fromEntries(this.patch)),
      before: this.first.op === 'insert' ? null : valuesText(Object.fromEntries(this.before)),
      ranks: this.ownRanks(),
    };
  }

  /** Only the ranks that differ from the change's own. */
  private ownRanks(): Ranks | null {
    const { stamp, wall, id } = this.last;
    const own = [...this.ranks].filter(([, r]) => r.stamp !== stamp || r.wall !== wall || r.id !== id);
    return own.length === 0 ? null : Object.fromEntries(own);
  }
}
