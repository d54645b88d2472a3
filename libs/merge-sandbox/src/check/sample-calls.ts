import {
  type MergeCall,
  type MergeFunctionRef,
  type MergeVersion,
  regionId,
  type RowKey,
  type TableName,
  type Values,
} from '@meridian/core';
import { valuesOfType } from './random-values.js';
import { Random } from './random.js';

/** What a function is to be used for, and what conflicts there have been. */
export interface MergeSamples {
  readonly table: TableName;
  /** The register's, with their types as `format_type` writes them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Calls, or what would have been calls: with the values of recorded conflicts. */
  readonly recorded: readonly MergeCall[];
}

const REGIONS = ['af', 'ap', 'eu', 'sa', 'us'].map(regionId);
const FIRST_MILLIS = Date.UTC(2026, 0, 1);
/** A column's value was the same before in so many of a hundred. */
const UNCHANGED_OF_100 = 20;
const NULLS_OF_100 = 10;
const RECORDED_OF_100 = 30;

/** Recorded calls and, from the same seed always the same, random ones of two to four versions. */
export function sampleCalls(ref: MergeFunctionRef, samples: MergeSamples, random: Random, count: number): MergeCall[] {
  const columns = samples.columns.map(({ name }) => name);
  const recorded = samples.recorded.slice(0, count).map((call) => ({ ...call, function: ref }));
  const made = Array.from({ length: count }, (_, i): MergeCall => {
    const base = random.below(4) === 0 ? null : randomValues(samples, random, null);
    return {
      function: ref,
      table: samples.table,
      key: JSON.stringify([String(i)]) as RowKey,
      columns,
      base,
      versions: randomVersions(samples, random, base),
    };
  });
  return [...recorded, ...made];
}

function randomVersions(samples: MergeSamples, random: Random, base: Values | null): MergeVersion[] {
  const origins = random.shuffled(REGIONS).slice(0, 2 + random.below(3));
  const versions = origins.map((origin) => {
    // Equal stamps happen: then the origin is what orders them.
    const millis = FIRST_MILLIS + random.below(3);
    return {
      origin,
      stamp: String(BigInt(millis) << 16n),
      wall: new Date(millis).toISOString().replace('Z', '000Z'),
      values: randomValues(samples, random, base),
    };
  });
  return versions.sort((a, b) => compare(a.stamp, b.stamp) || compare(a.origin, b.origin));
}

const randomValues = ({ columns, recorded }: MergeSamples, random: Random, base: Values | null): Values =>
  Object.fromEntries(
    columns.map(({ name, type }) => {
      const drawn = random.below(100);
      if (drawn < NULLS_OF_100) return [name, null];
      if (base !== null && drawn < NULLS_OF_100 + UNCHANGED_OF_100) return [name, base[name] ?? null];
      const held = recorded.flatMap((call) => call.versions.map((version) => version.values[name]));
      const made = valuesOfType(type);
      if (held.length > 0 && (made === null || random.below(100) < RECORDED_OF_100))
        return [name, random.pick(held) ?? null];
      return [name, made === null ? null : made(random)];
    }),
  );

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
