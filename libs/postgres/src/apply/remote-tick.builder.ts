import {
  type Change,
  type ChangeOp,
  changeId,
  GENESIS_DIGEST,
  type RegionId,
  regionId,
  type RowKey,
  seq,
  type Seq,
  stamp,
  type TableName,
  type Tick,
  tickDigest,
  type Values,
  valuesText,
  type Vector,
} from '@meridian/core';
import { sha256 } from '../log/digest.js';

interface Said {
  readonly op: ChangeOp;
  readonly table?: string;
  readonly key: string;
  readonly patch?: Values;
  readonly before?: Values;
  readonly unseen?: Vector;
  readonly stamp?: bigint;
}

/** Ticks as another region would cut them, one after another. */
export function remoteTicks(name: string): {
  readonly origin: RegionId;
  tick(changes: readonly Said[], deps?: { readonly [origin: string]: number }): Tick;
} {
  const origin = regionId(name);
  let last: Tick | undefined;
  let id = 0;
  const change = (said: Said, at: Seq): Change => {
    id++;
    return {
      ...{
        origin,
        seq: at,
        id: changeId(id),
        key: said.key as RowKey,
        op: said.op,
        epoch: 1,
        actor: `somebody in ${name}`,
      },
      table: (said.table ?? 'public.item') as TableName,
      stamp: stamp(said.stamp ?? BigInt(Date.now()) << 16n),
      wall: BigInt(Date.now()) * 1000n,
      patch: said.op === 'delete' ? null : valuesText(said.patch ?? {}),
      before: said.op === 'insert' ? null : valuesText(said.before ?? {}),
      ...{ ranks: null, unseen: said.unseen ?? null },
    };
  };
  return {
    origin,
    tick: (said, deps = {}) => {
      const at = seq((last?.seq ?? 0) + 1);
      const content = {
        ...{ origin, seq: at, previous: last?.digest ?? GENESIS_DIGEST },
        deps: { ...(deps as Vector), [origin]: seq(at - 1) },
        stamp: stamp(BigInt(Date.now()) << 16n),
        wall: BigInt(Date.now()) * 1000n,
        changes: said.map((s) => change(s, at)),
      };
      last = { ...content, digest: tickDigest(content, sha256) };
      return last;
    },
  };
}
