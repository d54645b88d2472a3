import { type Entry, covers, maximal } from '../../causality/coverage.js';
import { beforeOf, changeRef, patchOf, rankOf, valueIn } from '../../change/change.js';
import { compareRank } from '../../policy/rank.js';
import { firstUnseen, lanesOf } from './text-members.js';
import { textClient } from './text-client.js';
import { TextReplica, type TextUpdate } from './text-replica.js';

/**
 * The text that these changes make of what all of them have seen ({@link textMembers}): each is made again on what its writer
 * had, in a document of its region's own, and all of them together give the text. A function of the changes, and of nothing else: not of
 * the order in which they arrived, nor of how far back they were looked for, for what all have seen makes one text however it came
 * about ([ADR 20](docs/adr/0020-text-is-merged-from-the-log.md)).
 */
export function mergeText(column: string, members: readonly Entry[]): string | null {
  const text = new TextMerge(column, members).run();
  return text === '' && maximal(members).every((e) => valueIn(patchOf(e), column) === null) ? null : text;
}

/** One region's changes, in the order of writing, and how far they have been made again. */
class Lane {
  readonly replica: TextReplica;
  readonly updates: TextUpdate[] = [];
  /** By lane, how much of it the replica has. */
  readonly taken: number[];

  constructor(
    readonly changes: readonly Entry[],
    base: string,
    lanes: number,
  ) {
    this.replica = new TextReplica(base);
    this.taken = Array<number>(lanes).fill(0);
  }

  get next(): Entry | undefined {
    return this.changes[this.updates.length];
  }
}

class TextMerge {
  private readonly lanes: readonly Lane[];
  /** By a change's name. */
  private readonly clients: ReadonlyMap<string, number>;

  constructor(
    private readonly column: string,
    members: readonly Entry[],
  ) {
    const lanes = lanesOf(members);
    const base = baseText(column, lanes);
    this.lanes = lanes.map((changes) => new Lane(changes, base, lanes.length));
    this.clients = clientsOf(column, members, lanes);
  }

  run(): string {
    for (let left = this.lanes; left.length > 0; left = left.filter((lane) => lane.next !== undefined))
      for (const lane of left)
        for (let change = lane.next; change !== undefined && this.isReady(lane, change); change = lane.next)
          this.replay(lane, change);
    const [first] = this.lanes;
    this.pull(first!, () => true);
    return first!.replica.text;
  }

  private isReady(own: Lane, change: Entry): boolean {
    return this.lanes.every((lane) => lane === own || lane.next === undefined || !covers(change, lane.next));
  }

  private replay(lane: Lane, change: Entry): void {
    this.pull(lane, (other) => covers(change, other));
    const text = valueIn(patchOf(change), this.column) ?? '';
    const client = this.clients.get(changeRef(change)) ?? textClient(change.origin);
    const { replica } = lane;
    const made = change.op === 'insert' ? replica.beginAnew(client, text) : replica.become(client, text);
    lane.updates.push(made);
  }

  private pull(own: Lane, wanted: (change: Entry) => boolean): void {
    for (const [i, lane] of this.lanes.entries()) {
      if (lane === own) continue;
      for (; own.taken[i]! < lane.updates.length && wanted(lane.changes[own.taken[i]!]!); own.taken[i]!++)
        own.replica.take(lane.updates[own.taken[i]!]!);
    }
  }
}

/** What all have seen, as one of those wrote over it that had seen no more; an insert had nothing. */
function baseText(column: string, lanes: readonly (readonly Entry[])[]): string {
  const firsts = lanes.map(([first]) => first!);
  const least = firsts.find((e) => e.op === 'update' && !firsts.some((other) => other !== e && covers(e, other)));
  return least === undefined ? '' : (valueIn(beforeOf(least), column) ?? '');
}

/**
 * Under whose name a change's characters go, where it is not its region's. Two regions that did the same to the same, or inserted the row
 * with the same text, made one change: it is there once, and what is edited of it in either is edited in both. So it goes by the
 * name of the first of these; that of the write itself, for other columns' may be folded into it.
 */
function clientsOf(
  column: string,
  members: readonly Entry[],
  lanes: readonly (readonly Entry[])[],
): ReadonlyMap<string, number> {
  const alike = new Map<string, Entry[]>();
  for (const e of [...members].sort((a, b) => compareRank({ kind: 'hlc' }, [column], a, b))) {
    const seen = JSON.stringify([e.op, lanes.map((lane) => firstUnseen(e, lane))]);
    alike.set(seen, [...(alike.get(seen) ?? []), e]);
  }
  const sameText = (a: Entry, b: Entry): boolean => valueIn(patchOf(a), column) === valueIn(patchOf(b), column);
  return new Map(
    [...alike.values()].flatMap((changes) =>
      changes.flatMap((e): [string, number][] => {
        if (e.op !== 'insert' && changes.length === 1) return [];
        const first = changes.find((other) => sameText(other, e))!;
        const isShared = changes.some((other) => other !== e && sameText(other, e));
        const { id } = rankOf(first, column);
        return e.op === 'insert' || isShared
          ? [[changeRef(e), textClient(`change ${changeRef({ origin: first.origin, id })}`)]]
          : [];
      }),
    ),
  );
}
