import type { Entry } from '../causality/coverage.js';
import { changeId, type JsonText, regionId, type RowKey, type Seq, type TableName } from '../ids.js';
import { stamp } from '../stamp.js';
import type { Vector } from '../vector.js';
import { type ChangeOp, type Ranks, type Values, valuesText } from './change.js';

/** What a test says of a change; the rest is the same for all. */
export interface Said {
  readonly op?: ChangeOp;
  readonly table?: string;
  readonly key?: string;
  readonly patch?: Values;
  readonly before?: Values;
  readonly seq?: number | null;
  readonly deps?: { readonly [origin: string]: number } | null;
  readonly unseen?: { readonly [origin: string]: number } | null;
  readonly stamp?: number;
  readonly wall?: number;
  readonly epoch?: number;
  readonly ranks?: Ranks | null;
}

/** A change as a region's log knows it, for tests: `entry('eu', 4, { patch: { qty: '5' } })`. Stamp and wall follow the id. */
export function entry(origin: string, id: number, said: Said = {}): Entry {
  const op = said.op ?? 'update';
  return {
    origin: regionId(origin),
    id: changeId(id),
    seq: (said.seq ?? null) as Seq | null,
    deps: (said.deps ?? null) as Vector | null,
    unseen: (said.unseen ?? null) as Vector | null,
    table: (said.table ?? 'public.items') as TableName,
    key: (said.key ?? '["1"]') as RowKey,
    op,
    stamp: stamp(BigInt(said.stamp ?? id)),
    wall: BigInt(said.wall ?? said.stamp ?? id),
    epoch: said.epoch ?? 1,
    actor: `somebody in ${origin}`,
    patch: op === 'delete' && said.patch === undefined ? null : textOf(said.patch),
    before: op === 'insert' ? null : textOf(said.before),
    ranks: said.ranks ?? null,
  };
}

const textOf = (values: Values | undefined): JsonText => valuesText(values ?? {});
