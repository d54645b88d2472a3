import { regionId, type TableName } from '@meridian/core';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { Enrolment } from '../enrolment/enrolment.js';
import { prepareDatabase } from '../setup/prepare-database.js';

/** A region's database for one test file, prepared as a service does it, with the log open for reading. */
export class CapturedDatabase {
  private constructor(
    readonly db: TestDatabase,
    readonly client: Client,
    readonly enrolment: Enrolment,
    readonly applyUrl: string,
    readonly applyRole: string,
  ) {}

  static async open(region = 'us'): Promise<CapturedDatabase> {
    const db = await templateDatabase();
    const client = new Client({ connectionString: db.url });
    await client.connect();
    const name = regionId(region);
    const { applyRole, applyUrl, replicaRole } = await prepareDatabase({ url: db.url, secret: 's', cluster: 'test', region: name });
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
    const { rows } = await this.client.query<{ last: string }>('SELECT coalesce(max(id), 0) AS last FROM meridian.change');
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
