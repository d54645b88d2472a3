import type { MergeCount, MergeCounts, TableRef } from '@meridian/core';
import type { Pool } from 'pg';
import { refusalOf } from '../rows/refusal-of-sqlstate.js';
import { utcTime } from './conflict-sql.js';

export class PgMergeCounts implements MergeCounts {
  constructor(private readonly pool: Pool) {}

  async counts(of: TableRef | null): Promise<readonly MergeCount[]> {
    try {
      return (await this.pool.query<MergeCount>(COUNTS, [of?.schema ?? null, of?.name ?? null])).rows;
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

const COUNTS = /* sql */ `
SELECT rel AS table, columns::json AS columns, policy, merges::float8 AS merges, ${utcTime('since')} AS since FROM meridian.merge_count
 WHERE $1::text IS NULL OR rel = quote_ident($1) || '.' || quote_ident($2::text)
 ORDER BY rel, merge_count.columns, policy`;
