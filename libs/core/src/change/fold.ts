import { type RowRef, rowId } from '../ids.js';
import { type TableSpec, mergedColumns } from '../policy/table-policy.js';
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

/** How a table's columns fold, at the epoch under which a change of it was written. Others: the later value. */
export interface Folding {
  /** Their differences add up. */
  readonly counters: ReadonlySet<string>;
  /** Merged part by part: between two values what was taken away and put back would not be seen. */
  readonly merged: ReadonlySet<string>;
}
export type FoldingOf = (change: Pick<Change, 'table' | 'epoch'>) => Folding;

/** By what the table is now; of one that is not enrolled, no column folds in a way of its own. */
export const foldingOf = (spec: Pick<TableSpec, 'counters' | 'registers'> | undefined): Folding => ({
  counters: new Set(spec?.counters),
  merged: new Set(spec === undefined ? [] : mergedColumns(spec)),
});

/**
 * Folds a tick's changes (in the order of writing): an update folds into the insert or update of the same row before it,
 * and every column keeps the rank of its own write. Nothing folds over a delete, over another `unseen` or policy epoch, nor an
 * update over another one of the same merged column; a touch folds into another touch only: with the columns of another write it
 * would no longer count as one.
 * Rows that changed once, nearly all, pass through unparsed. A hot row written 1,000 times costs one change a tick.
 */
export function foldChanges(changes: readonly Change[], foldingOf: FoldingOf): Change[] {
  const slots: (Change | Fold)[] = [];
  const last = new Map<string, number>();
  for (const change of changes) {
    const row = rowId(change satisfies RowRef);
    const slot = last.get(row);
    const before = slot === undefined ? undefined : slots[slot]!;
    if (slot === undefined || before === undefined || !foldable(before, change, foldingOf)) {
      last.set(row, slots.push(change) - 1);
      continue;
    }
    const fold = before instanceof Fold ? before : new Fold(before, foldingOf(change).counters);
    fold.add(change);
    slots[slot] = fold;
  }
  return slots.map((slot) => (slot instanceof Fold ? slot.result() : slot));
}

const headOf = (slot: Change | Fold): Change => (slot instanceof Fold ? slot.last : slot);

function foldable(slot: Change | Fold, next: Change, foldingOf: FoldingOf): boolean {
  const first = headOf(slot);
  return (
    next.op === 'update' &&
    first.op !== 'delete' &&
    first.epoch === next.epoch &&
    equalVectors(first.unseen ?? {}, next.unseen ?? {}) &&
    isTouch(first) === isTouch(next) &&
    !mergesTwice(slot, next, foldingOf(next))
  );
}

/** Also an insert writes every part: a leaf would have the stamp of the write after it. */
function mergesTwice(slot: Change | Fold, next: Change, { merged }: Folding): boolean {
  if (merged.size === 0) return false;
  const [before, after] = [slot instanceof Fold ? slot.columns : Object.keys(patchOf(slot)), patchOf(next)];
  return before.some((column) => merged.has(column) && Object.hasOwn(after, column));
}

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
    for (const [column, value] of Object.entries(patchOf(next))) this.patch.set(column, this.sum(column, value));
    for (const [column, value] of Object.entries(beforeOf(next)))
      if (!this.before.has(column)) this.before.set(column, value);
    this.rankColumns(next);
    // An insert stays an insert, but it is the last write of the row: its id and stamp are the last write's.
    this.last = { ...next, op: this.first.op };
  }

  get columns(): readonly string[] {
    return [...this.patch.keys()];
  }

  private sum(column: string, value: string | null): string | null {
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
