import {
  decidingVersions,
  type HistoryPage,
  historyItem,
  inPresentColumns,
  type JsonText,
  type LogReach,
  millisOf,
  patchOf,
  Refused,
  type RegionId,
  type RowConflict,
  type RowHistory,
  type RowLog,
  type RowSiblings,
  type RowStanding,
  type RowText,
  stamp,
  standingSiblings,
  type TableName,
  type TableSpec,
  type TextPlace,
  valueIn,
  type Values,
} from '@meridian/core';
import type { Pool } from 'pg';
import { ApplyTable } from '../apply/apply-table.js';
import { readTableNamed } from '../catalog/read-table.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { HISTORY_WINDOW, pageOf, parseHistoryCursor } from './history-cursor.js';
import { type KeyedRow, rowByKey } from './keyed-row.js';
import { loggedVersions, type LoggedVersion, type LogRow, type Window, withValues } from './logged-versions.js';
import { headsOfText, requireTextColumn, textAt, type TextColumn } from './logged-text.js';
import { keptSiblings } from './kept-siblings.js';
import { ReadingTransaction } from './reading-transaction.js';

/** Of a row written a thousand times a second, more would tell nobody anything, and keep the service's other work waiting. */
const MOST_VERSIONS = 5_000;
const MOST_CONFLICTS = 100;

export class PgRowLog implements RowLog {
  constructor(
    private readonly pool: Pool,
    private readonly region: RegionId,
  ) {}

  history(table: TableName, key: readonly string[], page: HistoryPage): Promise<RowHistory | null> {
    return this.#known(table, key, async (reading, known) => {
      const cursor = parseHistoryCursor(page.cursor);
      const window = { upTo: cursor.upTo, most: HISTORY_WINDOW, valuesOf: null };
      const versions = (await this.#versions(reading, known, window)).toReversed();
      const reach = await reachOf(reading, known);
      if (isUnknown(known) && reach.oldest === null) return null;
      const { from, to, next } = pageOf(versions, cursor, page.limit);
      const shown = await withValues(reading, known.at, versions.slice(from, to));
      const counters = await countersByEpoch(reading, table);
      const items = shown.map((version, i) =>
        historyItem(versions, from + i, version, incrementsOf(version, counters)),
      );
      return { key: known.at.key, items, next, reach: reach.told };
    });
  }

  standing(table: TableName, key: readonly string[]): Promise<RowStanding | null> {
    return this.#known(table, key, async (reading, known) => {
      const { spec, keyed, conflicts } = known;
      const window = { upTo: null, most: MOST_VERSIONS + 1, valuesOf: namesOfCounters(spec) };
      const found = await this.#versions(reading, known, window);
      if (isUnknown(known) && found.length === 0) return null;
      const versions = found.slice(-MOST_VERSIONS).map((v) => ({ ...v, entry: inPresentColumns(v.entry, spec) }));
      const deciding = decidingVersions(spec, versions) as readonly LoggedVersion[];
      const full = new Map((await withValues(reading, known.at, deciding)).map((v) => [v.logId, v]));
      return {
        ...{ spec, key: keyed.key, row: keyed.row, parked: keyed.parked, conflicts },
        versions: versions.map((v) => {
          const whole = full.get(v.logId);
          return whole === undefined ? v : { ...v, entry: inPresentColumns(whole.entry, spec) };
        }),
        all: found.length === versions.length,
        reach: (await reachOf(reading, known)).told,
      };
    });
  }

  siblings(table: TableName, key: readonly string[]): Promise<RowSiblings | null> {
    return this.#known(table, key, async (reading, known) => {
      const { row } = known.keyed;
      if (row === null) return null;
      const kept = await keptSiblings(reading, known.at);
      const window = { upTo: null, most: MOST_VERSIONS, valuesOf: [] };
      const versions = kept.length === 0 ? [] : await this.#versions(reading, known, window);
      const entries = versions.filter((v) => !v.waiting).map((v) => v.entry);
      return { key: known.keyed.key, registers: standingSiblings(kept, entries, row.values, known.spec.renamed) };
    });
  }

  text(table: TableName, key: readonly string[], column: string): Promise<RowText | null> {
    return this.#text(table, key, column, async (reading, text, row) => ({
      value: valueIn(row, column),
      heads: await headsOfText(reading, this.region, text),
    }));
  }

  textAt(table: TableName, key: readonly string[], column: string, at: TextPlace): Promise<string | null> {
    return this.#text(table, key, column, (reading, text) => textAt(reading, this.region, text, at));
  }

  #text<T>(
    table: TableName,
    key: readonly string[],
    column: string,
    work: (reading: ReadingTransaction, text: TextColumn, row: Values) => Promise<T | null>,
  ): Promise<T | null> {
    return this.#known(table, key, async (reading, { spec, at, keyed, ended }) => {
      requireTextColumn({ table, column, spec });
      if (keyed.row?.place !== 'table') return null;
      return work(reading, { ...at, column, spec, ended }, keyed.row.values);
    });
  }

  #known<T>(
    table: TableName,
    key: readonly string[],
    work: (reading: ReadingTransaction, known: Known) => Promise<T | null>,
  ): Promise<T | null> {
    return ReadingTransaction.run(this.pool, async (reading) => {
      const spec = await specOf(reading, table);
      const catalog = await readTableNamed(reading.driver, table);
      if (catalog === null) throw notEnrolled(table);
      const keyed = await rowByKey(reading, new ApplyTable(spec, catalog, null), key);
      if (keyed === null) return null;
      const at = { table, key: keyed.key };
      const [ended] = await reading.query(
        'SELECT coalesce(max(epoch), -1) FROM meridian.policy_epoch WHERE rel = $1 AND ended',
        [table],
      );
      const conflicts = await openConflicts(reading, at);
      return work(reading, { spec, at, keyed, conflicts, ended: Number(ended![0]) });
    });
  }

  #versions(reading: ReadingTransaction, { at, ended }: Known, window: Window): Promise<readonly LoggedVersion[]> {
    return loggedVersions(reading, this.region, at, ended, window);
  }
}

/** What has to be known of a row before its log is read. */
interface Known {
  readonly spec: StoredSpec;
  readonly at: LogRow;
  readonly keyed: KeyedRow;
  readonly conflicts: readonly RowConflict[];
  /** The last epoch of the table's ended enrolments. */
  readonly ended: number;
}

const isUnknown = ({ keyed, conflicts }: Known): boolean => keyed.row === null && conflicts.length === 0;

const notEnrolled = (table: TableName): Refused =>
  new Refused('table_not_enrolled', `${table} is not enrolled: GET /v1/tables lists those that are`, { table });

async function specOf(reading: ReadingTransaction, table: TableName): Promise<StoredSpec> {
  const [found] = await reading.query('SELECT spec FROM meridian.enrolled_table WHERE rel = $1', [table]);
  if (found === undefined) throw notEnrolled(table);
  return JSON.parse(found[0]!) as StoredSpec;
}

/** Under the names that the log may have them, too. */
const namesOfCounters = ({ counters, renamed }: TableSpec): string[] => [
  ...counters,
  ...renamed.filter(([, name]) => counters.includes(name)).map(([old]) => old),
];

async function openConflicts(reading: ReadingTransaction, { table, key }: LogRow): Promise<readonly RowConflict[]> {
  const rows = await reading.query(
    `SELECT id, kind, region, reason, loser, overwritten FROM meridian.conflict c
      WHERE rel = $1 AND pk = $2 AND status = 'open'
        AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = c.id AND meridian.decides(d.strategy))
      ORDER BY created_at DESC, id DESC LIMIT ${MOST_CONFLICTS}`,
    [table, key],
  );
  return rows.map(([id, kind, region, reason, loser, overwritten]) => {
    const { origin, id: change } = JSON.parse(loser!) as RowConflict['loser'];
    const registers = JSON.parse(overwritten!) as RowConflict['reasons'];
    const told = { id, kind, region, reason } as Pick<RowConflict, 'id' | 'kind' | 'region' | 'reason'>;
    return { ...told, loser: { origin, id: change }, overwritten: registers.map((r) => r.columns), reasons: registers };
  });
}

/** Rows of a partition stand in the order in which they were logged, so the first one is the oldest, or nearly. */
const REACH = /* sql */ `
SELECT (SELECT c.op FROM meridian.change c WHERE c.rel = $1 AND c.pk::text = $2 AND c.epoch > $3 ORDER BY c.id LIMIT 1),
       (SELECT c.stamp FROM meridian.change c LIMIT 1),
       (SELECT times > 0 FROM meridian.dropped)`;

async function reachOf(
  reading: ReadingTransaction,
  { at, ended }: Known,
): Promise<{ readonly oldest: string | null; readonly told: LogReach }> {
  const [row] = await reading.query(REACH, [at.table, at.key, ended]);
  const [oldest, since, dropped] = row!;
  return {
    oldest: oldest ?? null,
    told: {
      complete: oldest === 'i',
      since: since == null ? null : new Date(millisOf(stamp(BigInt(since)))).toISOString(),
      dropped: dropped === 't',
    },
  };
}

type Counters = ReadonlyMap<number, readonly string[]>;

async function countersByEpoch(reading: ReadingTransaction, table: TableName): Promise<Counters> {
  const rows = await reading.query('SELECT epoch, counters FROM meridian.policy_epoch WHERE rel = $1', [table]);
  return new Map(rows.map(([epoch, counters]) => [Number(epoch), JSON.parse(counters as JsonText) as string[]]));
}

function incrementsOf({ entry }: LoggedVersion, counters: Counters): string[] {
  if (entry.op !== 'update') return [];
  const written = patchOf(entry);
  return (counters.get(entry.epoch) ?? []).filter((c) => Object.hasOwn(written, c));
}
