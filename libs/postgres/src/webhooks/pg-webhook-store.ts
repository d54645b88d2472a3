import type { Delivery, Settled, Subscription, WebhookState, WebhookStore } from '@meridian/core';
import type { Pool } from 'pg';
import { SHOWN_CONFLICT, utcTime } from '../conflicts/conflict-sql.js';
import { refusalOf } from '../rows/refusal-of-sqlstate.js';

export class PgWebhookStore implements WebhookStore {
  constructor(private readonly pool: Pool) {}

  async configure(hooks: readonly Subscription[]): Promise<void> {
    await this.#query(CONFIGURE, [JSON.stringify(hooks)]);
    await this.#query('DELETE FROM meridian.webhook_delivery WHERE hook NOT IN (SELECT name FROM meridian.webhook)', []);
  }

  due(hook: string, limit: number): Promise<readonly Delivery[]> {
    return this.#query<Delivery>(DUE, [hook, limit]);
  }

  async settle(hook: string, settled: readonly Settled[], giveUpMs: number): Promise<number> {
    const [{ failed }] = (await this.#query<{ failed: number }>(SETTLE, [
      hook,
      JSON.stringify(settled),
      giveUpMs,
      settled.some(({ kind }) => kind === 'told'),
      settled.some(({ kind }) => kind === 'refused'),
    ])) as [{ failed: number }];
    return failed;
  }

  async stop(hook: string, why: string): Promise<void> {
    await this.#query('UPDATE meridian.webhook SET stopped = $2 WHERE name = $1', [hook, why]);
  }

  async resume(hook: string): Promise<number> {
    await this.#query('UPDATE meridian.webhook SET stopped = NULL WHERE name = $1', [hook]);
    const [{ waiting }] = (await this.#query<{ waiting: number }>(RESUME, [hook])) as [{ waiting: number }];
    return waiting;
  }

  states(): Promise<readonly WebhookState[]> {
    return this.#query<WebhookState>(STATES, []);
  }

  async #query<Row extends object>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.pool.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

const CONFIGURE = /* sql */ `
WITH configured AS (
  SELECT h.name, md5(h.url) AS address, ARRAY(SELECT json_array_elements_text(h.events)) AS events,
         CASE WHEN json_typeof(h.tables) = 'array' THEN
           ARRAY(SELECT quote_ident(t ->> 'schema') || '.' || quote_ident(t ->> 'name') FROM json_array_elements(h.tables) AS t) END AS tables
    FROM json_to_recordset($1::json) AS h(name text, url text, events json, tables json)
), gone AS (
  DELETE FROM meridian.webhook WHERE name NOT IN (SELECT name FROM configured)
)
INSERT INTO meridian.webhook AS w (name, address, events, tables) SELECT * FROM configured
ON CONFLICT (name) DO UPDATE
   SET events = excluded.events, tables = excluded.tables, address = excluded.address,
       stopped = CASE WHEN w.address = excluded.address THEN w.stopped END`;

const DUE = /* sql */ `
SELECT due.id, due.event, ${utcTime('due.at')} AS at, due.attempts, shown.conflict
  FROM (SELECT d.* FROM meridian.webhook_delivery d JOIN meridian.webhook w ON w.name = d.hook
         WHERE d.hook = $1 AND d.failed_at IS NULL AND d.next_at <= clock_timestamp() AND w.stopped IS NULL
         ORDER BY d.next_at LIMIT $2) AS due
  LEFT JOIN LATERAL (${SHOWN_CONFLICT} WHERE c.id = due.conflict) AS shown ON true
 ORDER BY due.next_at`;

/** When nobody takes anything, one is tried now and then: the others are given up unheard, and not all at once. */
const GIVEN_UP_AT_ONCE = 10_000;

const SETTLE = /* sql */ `
WITH settled AS (
  SELECT * FROM json_to_recordset($2::json) AS s(id uuid, kind text, error text, "againMs" float8)
), done AS (
  DELETE FROM meridian.webhook_delivery d USING settled s WHERE d.id = s.id AND s.kind <> 'refused'
), refused AS (
  UPDATE meridian.webhook_delivery d
     SET attempts = d.attempts + 1, error = s.error, next_at = clock_timestamp() + s."againMs" * interval '1 ms',
         failed_at = CASE WHEN d.since < clock_timestamp() - $3::float8 * interval '1 ms' THEN clock_timestamp() END
    FROM settled s WHERE d.id = s.id AND s.kind = 'refused'
  RETURNING failed_at IS NOT NULL AS failed
), unheard AS (
  UPDATE meridian.webhook_delivery d
     SET failed_at = clock_timestamp(), error = coalesce(d.error, (SELECT max(s.error) FROM settled s))
   WHERE $5 AND d.id IN (
     SELECT o.id FROM meridian.webhook_delivery o
      WHERE o.hook = $1 AND o.failed_at IS NULL AND o.since < clock_timestamp() - $3::float8 * interval '1 ms'
        AND o.id NOT IN (SELECT id FROM settled) LIMIT ${GIVEN_UP_AT_ONCE})
  RETURNING d.id
), told AS (
  UPDATE meridian.webhook SET told_at = clock_timestamp() WHERE name = $1 AND $4
)
SELECT ((SELECT count(*) FROM refused WHERE failed) + (SELECT count(*) FROM unheard))::int AS failed`;

const RESUME = /* sql */ `
WITH again AS (
  UPDATE meridian.webhook_delivery SET failed_at = NULL, attempts = 0, since = clock_timestamp(), next_at = clock_timestamp()
   WHERE hook = $1 AND (failed_at IS NOT NULL OR next_at > clock_timestamp())
  RETURNING id
)
SELECT (SELECT count(*) FROM again)::int
     + (SELECT count(*) FROM meridian.webhook_delivery WHERE hook = $1 AND failed_at IS NULL AND next_at <= clock_timestamp())::int AS waiting`;

const STATES = /* sql */ `
SELECT w.name, d.waiting, ${utcTime('d.oldest')} AS "oldestWaiting", d.failed, ${utcTime('w.told_at')} AS "toldAt",
       d.error AS "lastError", w.stopped
  FROM meridian.webhook w
 CROSS JOIN LATERAL (
   SELECT count(*) FILTER (WHERE failed_at IS NULL)::int AS waiting, min(at) FILTER (WHERE failed_at IS NULL) AS oldest,
          count(failed_at)::int AS failed, (array_agg(error ORDER BY next_at DESC) FILTER (WHERE error IS NOT NULL))[1] AS error
     FROM meridian.webhook_delivery WHERE hook = w.name) AS d
 ORDER BY w.name`;
