import type { ConflictRecord, JsonText, PolicyTrial, RowKey, TableName, TableRef, TrialSpecs } from '@meridian/core';
import type { Pool } from 'pg';
import { readTable } from '../catalog/read-table.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import type { Row } from '../connection/session.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { readAsTexts, ReadingTransaction } from './reading-transaction.js';

/**
 * Records that are in memory at a time: they hold whole rows. Replaying one takes some 50 us, and the service's other work waits
 * for all of a page.
 */
const PAGE = 200;

export class PgPolicyTrial implements PolicyTrial {
  constructor(private readonly pool: Pool) {}

  specs(ref: TableRef, policy: unknown): Promise<TrialSpecs | null> {
    return ReadingTransaction.run(this.pool, async (reading) => {
      const table = await readTable(reading.driver, ref);
      if (table === null) return null;
      const [enrolled] = await reading.query('SELECT spec FROM meridian.enrolled_table WHERE rel = $1', [table.name]);
      if (enrolled === undefined) return null;
      const present = JSON.parse(enrolled[0]!) as StoredSpec;
      const { spec, problems } = resolvePolicy(policy, table, present.epoch + 1);
      return spec === null
        ? { kind: 'refused', reasons: problems.map(({ code, message, cure }) => ({ code, detail: message, cure })) }
        : { kind: 'resolved', present, other: spec };
    });
  }

  /** Page by page, each by itself: records that come meanwhile are newer than all that is read. */
  async *records(table: TableName, since: string | undefined, limit: number): AsyncIterable<readonly ConflictRecord[]> {
    let [recordedAt, id] = ['infinity', ''];
    for (let left = limit; left > 0;) {
      const values: unknown[] = [table, since ?? null, recordedAt, id, Math.min(PAGE, left)];
      const rows = await readAsTexts(this.pool, RECORDS, values);
      if (rows.length > 0) yield rows.map(recordOf);
      if (rows.length < Math.min(PAGE, left)) return;
      left -= rows.length;
      const last: Row = rows.at(-1)!;
      [recordedAt, id] = [last.at(-1)!, last[0]!];
    }
  }
}

const COLUMNS = 'id, rel, pk, kind, region, status, loser, versions, base, overwritten, result, reason, created_at';

const part = (where: string): string => `(SELECT ${COLUMNS} FROM meridian.conflict
  WHERE rel = $1 AND status <> 'withdrawn' AND ($2::timestamptz IS NULL OR created_at >= $2) AND ${where}
  ORDER BY created_at DESC, id LIMIT $5)`;

/** As the index has them. One transaction may have recorded thousands: to read past those of its page before would take ever longer. */
const RECORDS = /* sql */ `
${part(`created_at = $3::timestamptz AND id > $4::text`)}
UNION ALL ${part(`created_at < $3::timestamptz`)}
 ORDER BY created_at DESC, id LIMIT $5`;

function recordOf(row: Row): ConflictRecord {
  const [id, rel, pk, kind, region, status, loser, versions, base, overwritten, result, reason] = row as string[];
  const parsed = (text: string | null | undefined): unknown => (text == null ? null : JSON.parse(text));
  return {
    ...{ id, table: rel as TableName, key: pk as RowKey, kind, region, status, reason },
    ...{ loser: parsed(loser), versions: parsed(versions), base: parsed(base) },
    ...{ overwritten: parsed(overwritten), result: parsed(result) as JsonText | null },
  } as ConflictRecord;
}
