import type { RestRegion } from '@meridian/testkit';

interface SaidVersion {
  readonly origin: string;
  readonly id: number;
  readonly op?: 'insert' | 'update' | 'delete';
  readonly values?: object;
  readonly stamp?: string;
}

/** What a test says of a record; the rest is as apply records an update of `public.items` that lost one column. */
export interface SaidConflict {
  readonly id: string;
  readonly table?: string;
  readonly key?: readonly string[];
  readonly kind?: string;
  readonly region?: string;
  readonly status?: string;
  readonly versions: readonly [loser: SaidVersion, ...others: readonly SaidVersion[]];
  readonly base?: object | null;
  readonly overwritten?: readonly {
    readonly columns: readonly string[];
    readonly lost: object;
    readonly result?: object | null;
  }[];
  readonly result?: object | null;
  /** Seconds after the first of January. */
  readonly at?: number;
}

const versionOf = ({ origin, id, op = 'update', values = {}, stamp = '1' }: SaidVersion) => ({
  ...{ origin, id, op, stamp, values },
  ...{ wall: '2026-01-01T00:00:00.000Z', actor: `somebody in ${origin}` },
});

/** As apply would have recorded it. */
export async function recordConflict(region: RestRegion, said: SaidConflict): Promise<void> {
  const versions = said.versions.map(versionOf);
  const winner = { origin: versions.at(-1)!.origin, id: versions.at(-1)!.id };
  const overwritten = said.overwritten ?? [];
  const { id, table = 'public.items', key = ['1'], kind = 'update_origin_differs', region: where = 'us' } = said;
  await region.sql(
    `INSERT INTO meridian.conflict VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'because',
       '2026-01-01T00:00:00Z'::timestamptz + $12 * interval '1 second', now())`,
    [
      ...[id, table, JSON.stringify(key), kind, where, said.status ?? 'open'],
      ...[versions[0], versions, said.base ?? null].map(jsonOrNull),
      JSON.stringify(
        overwritten.map((o) => ({ policy: 'hlc', winner, reason: 'its stamp is later', result: null, ...o })),
      ),
      jsonOrNull(said.result ?? null),
      said.at ?? 1,
    ],
  );
}

const jsonOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
