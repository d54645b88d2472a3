import type { OriginPosition, Position, PositionStore, RegionId, Vector } from '@meridian/core';
import type { Pool } from 'pg';

export class PgPositionStore implements PositionStore {
  constructor(
    private readonly pool: Pool,
    readonly region: RegionId,
  ) {}

  async vector(): Promise<Vector> {
    const { rows } = await this.pool.query<[origin: string, seq: string]>({
      name: 'rest_vector',
      text: VECTOR,
      rowMode: 'array',
    });
    return Object.fromEntries(rows.map(([origin, seq]) => [origin, Number(seq)])) as Vector;
  }

  async position(): Promise<Position> {
    const { rows } = await this.pool.query<{ vector: Vector | null; uncut: boolean }>({
      name: 'rest_position',
      text: POSITION,
      values: [this.region],
    });
    return { vector: rows[0]!.vector ?? {}, uncut: rows[0]!.uncut };
  }

  async origins(): Promise<readonly OriginPosition[]> {
    const { rows } = await this.pool.query<OriginRow>({ name: 'rest_origins', text: ORIGINS });
    return rows.map((r) => ({
      origin: r.origin as RegionId,
      seq: Number(r.seq),
      deps: r.deps,
      wallMs: Number(r.wall) / 1000,
      appliedMs: Number(r.applied_ms),
    }));
  }
}

interface OriginRow {
  readonly origin: string;
  readonly seq: string;
  readonly deps: Vector;
  readonly wall: string;
  readonly applied_ms: string;
}

const VECTOR = 'SELECT origin, seq FROM meridian.applied';

/** Uncut: visible now, and not in the snapshot of the last tick. The relay asks the same (design 4). */
const POSITION = /* sql */ `
WITH last AS MATERIALIZED (SELECT snapshot FROM meridian.tick WHERE origin = $1 ORDER BY seq DESC LIMIT 1)
SELECT (SELECT json_object_agg(origin, seq) FROM meridian.applied) AS vector,
       EXISTS (SELECT FROM meridian.change
                WHERE seq IS NULL
                  AND xid >= coalesce((SELECT pg_snapshot_xmax(snapshot) FROM last), '0'::xid8))
    OR EXISTS (SELECT FROM meridian.change
                WHERE seq IS NULL
                  AND xid = ANY (ARRAY(SELECT pg_snapshot_xip(snapshot) FROM last))) AS uncut
`;

const ORIGINS = /* sql */ `
SELECT origin, seq::text, deps, wall::text, (extract(epoch FROM applied_at) * 1000)::text AS applied_ms FROM meridian.applied
`;
