import {
  changeId,
  GENESIS_DIGEST,
  seq,
  stampOfMillis,
  tickDigest,
  type Change,
  type JsonText,
  type RegionId,
  type RowKey,
  type TableName,
  type Tick,
} from '@meridian/core';
import { sha256 } from '../cluster-keys.js';

/** Ticks as an origin would cut them: numbered without gaps, each naming the digest of the one before. */
export class SampleOrigin {
  private last: Tick | null = null;
  private changeIds = 0;

  constructor(readonly region: RegionId) {}

  /** `values`: one update of `public.items` for each. */
  tick(...values: readonly Readonly<Record<string, string | null>>[]): Tick {
    const n = seq((this.last?.seq ?? 0) + 1);
    const content = {
      origin: this.region,
      seq: n,
      deps: { [this.region]: seq(n - 1) },
      stamp: stampOfMillis(1_763_700_000_000 + n),
      wall: 1_763_700_000_000_000n + BigInt(n),
      previous: this.last?.digest ?? GENESIS_DIGEST,
      changes: values.map((v) => this.change(n, v)),
    };
    this.last = { ...content, digest: tickDigest(content, sha256) };
    return this.last;
  }

  ticks(count: number): readonly Tick[] {
    return Array.from({ length: count }, (_, i) => this.tick({ qty: String(i) }));
  }

  private change(n: number, values: Readonly<Record<string, string | null>>): Change {
    const id = ++this.changeIds;
    return {
      origin: this.region,
      seq: seq(n),
      id: changeId(id),
      table: 'public.items' as TableName,
      key: JSON.stringify([String(id)]) as RowKey,
      op: 'update',
      stamp: stampOfMillis(1_763_700_000_000 + id),
      wall: 1_763_700_000_000_000n,
      epoch: 1,
      actor: 'app',
      patch: JSON.stringify(values) as JsonText,
      before: '{}' as JsonText,
      ranks: null,
      unseen: null,
    };
  }
}
