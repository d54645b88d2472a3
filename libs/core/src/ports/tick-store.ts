import type { Change } from '../change/change.js';
import type { FoldingOf } from '../change/fold.js';
import type { RegionId, Seq } from '../ids.js';
import type { Tick, TickHeader } from '../tick/tick.js';
import type { Vector } from '../vector.js';

/** A region's log as the relay cuts it and as peers read it (design 4). Adapters: PostgreSQL, the simulation's memory. */
export interface TickStore {
  readonly region: RegionId;
  /** False: no change has been committed since the last cut was opened, so one opened now would find none. Cheap. */
  hasMoved(): Promise<boolean>;
  /** Waits for the cut lock, then opens the tick's snapshot. One at a time. */
  openCut(): Promise<Cut>;
  /** Ticks of an origin from `from` on, made again from the log with the same content; none when they are not (or no more) here. */
  readTicks(
    origin: RegionId,
    from: Seq,
    limit: { readonly ticks: number; readonly changes: number },
  ): Promise<readonly Tick[]>;
  /** Deps of the last applied tick per region, the own applied vector under the own name: their minimum is the stable cut. */
  lastDeps(): Promise<ReadonlyMap<RegionId, Vector>>;
  /** Drops log partitions that are below the stable cut and older than the history to keep. Resolves to how many. */
  dropBelow(stableCut: Vector): Promise<number>;
}

/** What becomes the tick's header, all read in the tick's own snapshot, never from memory or a sequence. */
export interface Cut {
  readonly header: TickHeader;
  /** Of all epochs that this snapshot knows: also of a table enrolled a moment ago, or no more, or its differences would fold like values. */
  readonly folding: FoldingOf;
  /** Local changes visible in this snapshot and not in the last tick's; order of writing; `unseen` only as far as deps cover. */
  changes(): Promise<readonly Change[]>;
  /** Writes the tick's row and advances the own entry of the applied vector; only then may the tick be published. */
  commit(tick: Tick): Promise<void>;
  /** Nothing happened: no row, no seq used. */
  abandon(): Promise<void>;
}
