import type { RegionId, Seq } from '@meridian/core';
import { Snapshot } from '../log/snapshot.js';
import type { ReadingTransaction } from './reading-transaction.js';

interface FoundTick {
  readonly seq: Seq;
  readonly deps: string;
}

/** Of a local change: the tick that carries it; null: none yet; `upTo`: one that is no longer kept, at or below that one. */
export type TickOf = FoundTick | { readonly upTo: Seq } | null;

interface Range {
  low: number;
  high: number;
}

/**
 * The first own tick that shows a transaction is the one that carries its changes. Looked for by halves, for all of them at once:
 * a day has millions of ticks, and once one shows a transaction, all later ones do.
 */
export async function ticksThatShow(
  reading: ReadingTransaction,
  region: RegionId,
  xids: readonly bigint[],
): Promise<ReadonlyMap<bigint, TickOf>> {
  const [bounds] = await reading.query(
    `SELECT (SELECT seq FROM meridian.tick WHERE origin = $1 ORDER BY seq LIMIT 1),
            (SELECT seq FROM meridian.tick WHERE origin = $1 ORDER BY seq DESC LIMIT 1)`,
    [region],
  );
  const [first, last] = bounds![0] === null ? [1, 0] : [Number(bounds![0]), Number(bounds![1])];
  const ranges = new Map(xids.map((xid) => [xid, { low: first, high: last + 1 }]));
  const ticks = new Map<number, { readonly snapshot: Snapshot; readonly deps: string }>();
  for (let open = [...ranges]; open.length > 0; open = open.filter(([, r]) => r.low < r.high)) {
    const wanted = new Set(open.filter(([, r]) => r.low < r.high).map(([, r]) => middleOf(r)));
    for (const [seq, snapshot, deps] of await readTicks(
      reading,
      region,
      [...wanted].filter((n) => !ticks.has(n)),
    ))
      ticks.set(Number(seq), { snapshot: Snapshot.parse(snapshot!), deps: deps! });
    for (const [xid, range] of open) halve(range, (n) => ticks.get(n)!.snapshot.shows(xid));
  }
  return new Map(
    [...ranges].map(([xid, { low }]): [bigint, TickOf] => {
      if (low > last) return [xid, null];
      // The oldest one kept shows all that its forgotten predecessors do.
      if (low === first && first > 1) return [xid, { upTo: first as Seq }];
      return [xid, { seq: low as Seq, deps: ticks.get(low)!.deps }];
    }),
  );
}

const middleOf = ({ low, high }: Range): number => (low + high) >> 1;

function halve(range: Range, shows: (seq: number) => boolean): void {
  if (range.low >= range.high) return;
  const middle = middleOf(range);
  if (shows(middle)) range.high = middle;
  else range.low = middle + 1;
}

const readTicks = (reading: ReadingTransaction, region: RegionId, seqs: readonly number[]) =>
  reading.query('SELECT seq, snapshot, deps FROM meridian.tick WHERE origin = $1 AND seq = ANY ($2)', [region, seqs]);
