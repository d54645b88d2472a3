import {
  type ConflictRecord,
  Refused,
  type RegionId,
  settlingOf,
  type Writer,
  writeOf,
  type Written,
} from '@meridian/core';
import type { Pool, PoolClient } from 'pg';
import { RowTransactions } from '../rows/row-transactions.js';
import { lockConflictRow, rowWriteOf } from './conflict-row.js';

const MERIDIAN: Writer = { actor: 'meridian', application: 'overruled decision' };

/**
 * Of two regions that decide one conflict at once, one decision stands; but the row follows its table's policy, and may hold what the
 * other one wrote. The region of the overruled decision makes the row agree with the one that stands, by an ordinary write (ADR 18).
 */
export class OverruledDecisions {
  readonly #rows: RowTransactions;

  constructor(
    private readonly pool: Pool,
    private readonly region: RegionId,
  ) {
    this.#rows = new RowTransactions(pool, 'overruled');
  }

  /** Resolves to how many were looked at: each once for each decision that overrules it. */
  async settle(): Promise<number> {
    const { rows } = await this.pool.query<Candidate>(CANDIDATES, [this.region]);
    for (const candidate of rows) await this.#settle(candidate);
    return rows.length;
  }

  async #settle(candidate: Candidate): Promise<void> {
    try {
      await this.#rows.run((client) => this.#write(client, candidate));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.#rows.run(async (client) => {
        await mark(client, candidate, 'settled', candidate.winner, this.region);
        await mark(client, candidate, 'note', `the row may not be as decided: ${error.message}`, this.region);
      });
    }
  }

  async #write(client: PoolClient, candidate: Candidate): Promise<void> {
    const { conflict, rel, pk, overruled } = candidate;
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('meridian conflict ' || $1, 0))`, [conflict]);
    const decided = await client.query<{ written: Written | null }>(STANDING, [conflict]);
    const record = { table: rel, key: pk } as Pick<ConflictRecord, 'table' | 'key'>;
    const row = await lockConflictRow(this.#rows, client, record, JSON.parse(pk) as string[]);
    const standing = decided.rows[0]?.written ?? null;
    const remedy = settlingOf({ overruled, standing, present: row.present, counters: row.now.counters });
    const write = writeOf(remedy, row.present, row.table.keyColumns);
    if (write.kind !== 'none') await this.#rows.write(client, rowWriteOf(row, write), MERIDIAN);
    await mark(client, candidate, 'settled', candidate.winner, this.region);
  }
}

interface Candidate {
  /** Of the record that tells of it. */
  readonly id: string;
  /** The conflict that was decided, and its row. */
  readonly conflict: string;
  readonly rel: string;
  readonly pk: string;
  readonly overruled: Written | null;
  /** Of the decision that stands: its change. */
  readonly winner: string;
}

/** Records of this region's own decisions; looked at again when another decision overrules the one that did. */
const CANDIDATES = /* sql */ `
SELECT c.id, t.id AS conflict, t.rel, t.pk, (c.loser -> 'values' ->> 'written')::json AS overruled,
       c.overwritten -> 0 ->> 'winner' AS winner
  FROM meridian.conflict c
  JOIN meridian.conflict t ON t.id = c.pk::json ->> 0
  LEFT JOIN meridian.triage s ON s.conflict = c.id AND s.aspect = 'settled'
 WHERE c.rel = 'meridian.decision' AND c.region = $1 AND c.status = 'open'
   AND t.rel NOT LIKE 'meridian.%' AND s.value IS DISTINCT FROM c.overwritten -> 0 ->> 'winner'
 ORDER BY c.created_at, c.id LIMIT 100`;

const STANDING = 'SELECT written FROM meridian.decision WHERE conflict = $1 FOR UPDATE';

const mark = (client: PoolClient, { id }: Candidate, aspect: string, value: string, region: RegionId) =>
  client.query(
    `INSERT INTO meridian.triage (conflict, aspect, value, by, region, at) VALUES ($1, $2, $3, 'meridian', $4, clock_timestamp())
     ON CONFLICT (conflict, aspect) DO UPDATE SET value = excluded.value, by = excluded.by, region = excluded.region, at = excluded.at`,
    [id, aspect, value, region],
  );
