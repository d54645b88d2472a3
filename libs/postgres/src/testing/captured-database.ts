import { addDecimals, regionId, type TableName, type Values } from '@meridian/core';
import { Client } from 'pg';
import { Enrolment } from '../enrolment/enrolment.js';
import { prepareDatabase } from '../setup/prepare-database.js';

/** What templateDatabase() of the testkit gives. */
interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A region's database for one test file, prepared as a service does it, with the log open for reading. */
export class CapturedDatabase {
  private constructor(
    readonly db: TestDatabase,
    readonly client: Client,
    readonly enrolment: Enrolment,
    readonly applyUrl: string,
    readonly applyRole: string,
  ) {}

  static async open(db: TestDatabase, region = 'us'): Promise<CapturedDatabase> {
    const client = new Client({ connectionString: db.url });
    await client.connect();
    const name = regionId(region);
    const { applyRole, applyUrl, replicaRole } = await prepareDatabase({
      url: db.url,
      secret: 's',
      cluster: 'test',
      region: name,
    });
    await client.query('CREATE TABLE IF NOT EXISTS meridian.change_all PARTITION OF meridian.change DEFAULT');
    const enrolment = new Enrolment({ url: db.url, region: name, applyRole, replicaRole });
    return new CapturedDatabase(db, client, enrolment, applyUrl, applyRole);
  }

  async close(): Promise<void> {
    await this.client.end();
    await this.db.drop();
  }

  async run(sql: string): Promise<void> {
    await this.client.query(sql);
  }

  async enrol(name: string, policy: unknown = {}): Promise<void> {
    const [schema, table] = name.includes('.') ? name.split('.') : ['public', name];
    await (await this.enrolment.prepare({ schema: schema!, name: table! }, policy)).commit();
  }

  /** What `work` logs, in the log's order: `u ["1"] {"qty":"2"} < {"qty":"1"}`. */
  async logged(work: string | (() => Promise<unknown>)): Promise<string[]> {
    const { rows } = await this.client.query<{ last: string }>(
      'SELECT coalesce(max(id), 0) AS last FROM meridian.change',
    );
    await (typeof work === 'string' ? this.run(work) : work());
    return this.since(rows[0]!.last);
  }

  async since(id: string): Promise<string[]> {
    const { rows } = await this.client.query<LogRow>(
      `SELECT rel, op, pk::text AS pk, patch::text AS patch, before::text AS before
         FROM meridian.change WHERE id > $1 ORDER BY xid, coalesce(number, id), id`,
      [id],
    );
    return rows.map(shown);
  }

  /**
   * The table as the log tells it, entry by entry, and strictly: an insert finds no row, an update and a delete find the
   * values that they say were there before.
   */
  async replayed(name: string, counters: readonly string[] = []): Promise<Record<string, Values>> {
    const { rows } = await this.client.query<LogRow>(
      `SELECT rel, op, pk::text AS pk, patch::text AS patch, before::text AS before
         FROM meridian.change WHERE rel = $1 AND (op = 'd' OR patch::text IS DISTINCT FROM '{}') ORDER BY xid, coalesce(number, id), id`,
      [name],
    );
    const table = new Map<string, Map<string, string | null>>();
    for (const entry of rows) replay(table, entry, counters);
    return Object.fromEntries([...table].map(([key, row]) => [key, Object.fromEntries(row)]));
  }

  /** The table as it is, by key, in the same form. */
  async content(name: string): Promise<Record<string, Values>> {
    const { rows } = await this.client.query<{ key: string; row: Values }>(await this.#contentSql(name));
    return Object.fromEntries(rows.map((r) => [r.key, r.row]));
  }

  async #contentSql(name: string): Promise<string> {
    const spec = (await this.enrolment.get(name as TableName))!.spec;
    const text = (column: string): string => `t."${column.replaceAll('"', '""')}"::text`;
    const columns = spec.columns.filter((c) => !c.generated).map((c) => c.name);
    const members = columns.map((c) => `'${c.replaceAll("'", "''")}', ${text(c)}`);
    return `SELECT json_build_array(${spec.keyColumns.map(text).join(', ')})::text AS key, json_build_object(${members.join(', ')}) AS row FROM ${name} t`;
  }

  async rows(sql: string): Promise<unknown[]> {
    return (await this.client.query<Record<string, unknown>>(sql)).rows;
  }

  async other(url = this.db.url): Promise<Client> {
    const client = new Client({ connectionString: url });
    await client.connect();
    return client;
  }
}

interface LogRow {
  readonly rel: TableName;
  readonly op: string;
  readonly pk: string;
  readonly patch: string | null;
  readonly before: string | null;
}

const shown = (r: LogRow): string =>
  `${r.rel} ${r.op} ${r.pk}${r.patch === null ? '' : ` ${r.patch}`}${r.before === null ? '' : ` < ${r.before}`}`;

function replay(table: Map<string, Map<string, string | null>>, entry: LogRow, counters: readonly string[]): void {
  const row = table.get(entry.pk);
  const before = Object.entries(JSON.parse(entry.before ?? '{}') as Values);
  const patch = Object.entries(JSON.parse(entry.patch ?? '{}') as Values);
  if ((entry.op === 'i') !== (row === undefined)) throw new Error(`out of order: ${shown(entry)}`);
  for (const [column, value] of before)
    if (row?.get(column) !== value) throw new Error(`"${column}" was ${row?.get(column)}: ${shown(entry)}`);
  if (entry.op === 'd') table.delete(entry.pk);
  else if (row === undefined) table.set(entry.pk, new Map(patch));
  else
    for (const [column, value] of patch)
      row.set(column, counters.includes(column) ? addDecimals(row.get(column)!, value!) : value);
}
