import { addDecimals, givings, type RefusalMembers, type RegionId, type Share } from '@meridian/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { retryOf } from '../connection/retry.js';

/** Of one row's bounded counter. */
export interface ShareRef {
  readonly rel: string;
  readonly since: number;
  readonly pk: string;
  readonly column_name: string;
}

interface ShareRow extends ShareRef {
  readonly region: RegionId;
  readonly amount: string;
  readonly wanted: string | null;
}

/** Rows that one round looks at; those that are left over are looked at in the next. */
const A_ROUND = 500;

const LOOK_EVERY_MS = 20;

/**
 * Moves shares of bounded counters between the regions (ADR 21). Each region gives of its own alone, by writing its own row, which
 * replicates as any row does: nothing has to be agreed on, and nothing can be given twice.
 */
export class PgShares {
  constructor(
    private readonly pool: Pool,
    private readonly region: RegionId,
    /** All regions, this one included. */
    private readonly regions: readonly RegionId[],
  ) {}

  /** Looks at the rows whose shares have changed since, and gives where others have little. Resolves to how many it looked at. */
  async round(): Promise<number> {
    const { rows: due } = await this.pool.query<ShareRef>(TAKE_DUE, [A_ROUND]);
    if (due.length === 0) return 0;
    const refs = distinct(due);
    try {
      await this.giveOf(refs);
      return due.length;
    } catch (error) {
      // Looked at again, or what was due would be forgotten.
      await this.pool.query(PUT_BACK, [JSON.stringify(refs)]);
      if (retryOf(error) === null) throw error;
      return 0;
    }
  }

  /**
   * Asks the other regions for what a refused write was short of, waits for it, and does the write again while it is still asked
   * for, so that nobody is given it meanwhile. Null: it did not come in time.
   */
  async seek<T>(
    { table, column, key, short }: RefusalMembers,
    deadlineMs: number,
    again: () => Promise<T>,
  ): Promise<{ readonly result: T } | null> {
    const { rows } = await this.pool.query<ShareRef>(REF_OF, [table, column, key]);
    const [ref] = rows;
    if (ref === undefined || short === undefined) return null;
    const until = Date.now() + deadlineMs;
    const { amount } = await this.own(ref, null);
    const wanted = addDecimals(amount, short);
    await this.want(ref, wanted);
    try {
      for (;;) {
        const { enough } = await this.own(ref, wanted);
        if (enough) return { result: await again() };
        if (Date.now() > until) return null;
        await sleep(LOOK_EVERY_MS);
      }
    } finally {
      await this.want(ref, null);
    }
  }

  private async want(ref: ShareRef, amount: string | null): Promise<void> {
    await this.pool.query(WANT, [ref.rel, ref.since, ref.pk, ref.column_name, this.region, amount]);
  }

  /** What this region may take. */
  private async own(ref: ShareRef, wanted: string | null): Promise<{ amount: string; enough: boolean }> {
    const { rows } = await this.pool.query<{ amount: string; enough: boolean }>(
      `SELECT amount, amount >= $6 AS enough
         FROM (SELECT coalesce(sum(amount), 0) AS amount FROM meridian.shares_of($1, $2, $3, ARRAY[$4]) WHERE region = $5) s`,
      [ref.rel, ref.since, ref.column_name, ref.pk, this.region, wanted],
    );
    return rows[0]!;
  }

  private async giveOf(refs: readonly ShareRef[]): Promise<void> {
    const giving = (await this.views(this.pool, refs)).filter((view) => this.givenBy(view).length > 0);
    if (giving.length === 0) return;
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(`BEGIN; SET LOCAL lock_timeout = '100ms'`);
      await this.giveHeld(
        client,
        giving.map((view) => view.ref),
      );
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /**
   * Looks again under the own rows' locks, which keep the region's writers out: what it gives it has. A row that a writer holds
   * comes again by itself, for the writer changes it.
   */
  private async giveHeld(client: PoolClient, refs: readonly ShareRef[]): Promise<void> {
    await client.query(ENSURE_OWN, [JSON.stringify(refs), this.region]);
    const { rows: held } = await client.query<ShareRef>(HOLD_OWN, [JSON.stringify(refs), this.region]);
    const gifts = (await this.views(client, held)).flatMap((view) =>
      this.givenBy(view).map((gift) => ({ ...view.ref, ...gift })),
    );
    if (gifts.length > 0) await client.query(GIVE, [JSON.stringify(gifts), this.region]);
  }

  private givenBy({ shares }: View): ReturnType<typeof givings> {
    return givings(this.region, shares);
  }

  private async views(on: Pool | PoolClient, refs: readonly ShareRef[]): Promise<View[]> {
    const { rows } = await on.query<ShareRow>(VIEWS, [JSON.stringify(refs)]);
    const byRef = new Map<string, ShareRow[]>();
    for (const row of rows) byRef.set(nameOf(row), [...(byRef.get(nameOf(row)) ?? []), row]);
    return refs.map((ref) => ({ ref, shares: this.everybody(byRef.get(nameOf(ref)) ?? []) }));
  }

  /** Also who has no row yet. A region that is no member any more keeps what it has. */
  private everybody(rows: readonly ShareRow[]): Share[] {
    return this.regions.map((region) => {
      const row = rows.find((r) => r.region === region);
      return { region, amount: row?.amount ?? '0', wanted: row?.wanted ?? null };
    });
  }
}

interface View {
  readonly ref: ShareRef;
  readonly shares: readonly Share[];
}

const nameOf = ({ rel, since, pk, column_name }: ShareRef): string => JSON.stringify([rel, since, pk, column_name]);

const distinct = (refs: readonly ShareRef[]): ShareRef[] => [
  ...new Map(refs.map((ref) => [nameOf(ref), ref])).values(),
];

const REF_OF = /* sql */ `
SELECT t.rel, (b->>'since')::int AS since, $3::text AS pk, b->>'name' AS column_name
  FROM meridian.enrolled_table t, json_array_elements(t.spec->'bounded') b WHERE t.rel = $1 AND b->>'name' = $2`;

const REFS = 'json_to_recordset($1::json) AS k(rel text, since int, pk text, column_name text)';
const IS_REF = 's.rel = k.rel AND s.since = k.since AND s.pk = k.pk AND s.column_name = k.column_name';

/** A heap read from its beginning: what is due is few, and what was due is vacuumed away. */
const TAKE_DUE = /* sql */ `
DELETE FROM meridian.share_due WHERE ctid = ANY (ARRAY(SELECT ctid FROM meridian.share_due LIMIT $1 FOR UPDATE SKIP LOCKED))
RETURNING rel, since, pk, column_name`;

const PUT_BACK = `INSERT INTO meridian.share_due (rel, since, pk, column_name) SELECT k.* FROM ${REFS}`;

/** Of all regions that have any. */
const VIEWS = /* sql */ `
SELECT k.*, a.region, a.amount, s.wanted
  FROM ${REFS}
 CROSS JOIN LATERAL meridian.shares_of(k.rel, k.since, k.column_name, ARRAY[k.pk]) a
  LEFT JOIN meridian.share s ON ${IS_REF} AND s.region = a.region`;

/** ON CONFLICT alone would wait for whoever is writing to a row that is there. */
const ENSURE_OWN = /* sql */ `
INSERT INTO meridian.share (rel, since, pk, column_name, region, own, given)
SELECT k.*, $2, 0, '{}' FROM ${REFS}
 WHERE NOT EXISTS (SELECT FROM meridian.share s WHERE ${IS_REF} AND s.region = $2)
 ORDER BY rel, since, pk, column_name ON CONFLICT DO NOTHING`;

const HOLD_OWN = /* sql */ `
SELECT s.rel, s.since, s.pk, s.column_name FROM meridian.share s JOIN ${REFS} ON ${IS_REF} WHERE s.region = $2
 ORDER BY s.rel, s.since, s.pk, s.column_name FOR UPDATE OF s SKIP LOCKED`;

const GIVE = /* sql */ `
UPDATE meridian.share s
   SET given = (SELECT jsonb_object_agg(g.region, g.amount::text)
                  FROM (SELECT v.region, sum(v.amount) AS amount
                          FROM (SELECT key AS region, value::numeric AS amount FROM jsonb_each_text(s.given) UNION ALL
                                SELECT g.key, g.value::numeric FROM jsonb_each_text(k.gifts) g) v
                         GROUP BY v.region) g)
  FROM (SELECT rel, since, pk, column_name, jsonb_object_agg("to", amount) AS gifts
          FROM json_to_recordset($1::json) AS g(rel text, since int, pk text, column_name text, "to" text, amount text)
         GROUP BY rel, since, pk, column_name) k
 WHERE ${IS_REF} AND s.region = $2`;

const WANT = /* sql */ `
INSERT INTO meridian.share AS s (rel, since, pk, column_name, region, own, given, wanted) VALUES ($1, $2, $3, $4, $5, 0, '{}', $6)
ON CONFLICT (rel, since, pk, column_name, region) DO UPDATE SET wanted = excluded.wanted WHERE s.wanted IS DISTINCT FROM excluded.wanted`;
