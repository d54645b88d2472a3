import type { EnrolledTable, TablePolicy, TableRevision, Webhook } from '@meridian/contract';
import type { RegionId } from '@meridian/core';
import { Client, Pool } from 'pg';
import { templateDatabase } from '../pg-template/template-database.js';

/** REST over one real database, with Meridian's schema and no replication: tables are enrolled by hand. */
export interface RestRegion {
  readonly url: string;
  readonly databaseUrl: string;
  sql<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** As enrolment would, without capture. */
  enrol(table: string): Promise<void>;
  /** As apply would: moves the applied vector, and tells REST of it. */
  applied(origin: string, seq: number, more?: { readonly wallMs?: number; readonly deps?: object }): Promise<void>;
  readonly promised: readonly number[];
  /** What the server routes. */
  readonly routes: readonly (readonly [method: string, path: string])[];
  stop(): Promise<void>;
}

export interface RestRegionOptions {
  /** Default: us. */
  readonly region?: string;
  readonly sessionWaitMs?: number;
  readonly bodyLimitBytes?: number;
  readonly ready?: boolean;
  readonly requestTimeoutMs?: number;
}

export async function restRegion(options: RestRegionOptions = {}): Promise<RestRegion> {
  const database = await templateDatabase('meridian schema for rest', migrate);
  const server = await serveRest(database.url, options);
  const pool = new Pool({ connectionString: database.url, max: 3 });
  const sql = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await pool.query<Row>(text, [...values])).rows;
  return {
    ...server,
    databaseUrl: database.url,
    sql,
    enrol: async (table) => {
      await sql(
        `INSERT INTO meridian.enrolled_table (rel, policy, spec, epoch, state) VALUES ($1, '{}', '{}', 1, 'active')`,
        [table],
      );
    },
    applied: async (origin, seq, { wallMs = Date.now(), deps = {} } = {}) => {
      await sql(APPLIED, [origin, seq, JSON.stringify(deps), Math.round(wallMs * 1000)]);
      server.advanced();
    },
    stop: async () => {
      await pool.end();
      await server.stop();
      await database.drop();
    },
  };
}

const APPLIED = /* sql */ `
INSERT INTO meridian.applied (origin, seq, digest, deps, stamp, wall) VALUES ($1, $2, '', $3, 0, $4)
ON CONFLICT (origin) DO UPDATE SET seq = EXCLUDED.seq, deps = EXCLUDED.deps, wall = EXCLUDED.wall, applied_at = clock_timestamp()
`;

async function migrate(url: string): Promise<void> {
  const { DataSource } = await import('typeorm');
  const { MeridianSchema1763700000001 } = await import('../../../../migrations/1763700000001-meridian-schema.js');
  const { Decisions1763700000008 } = await import('../../../../migrations/1763700000008-decisions.js');
  const { Telling1763700000014 } = await import('../../../../migrations/1763700000014-telling.js');
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE SCHEMA meridian');
  await client.end();
  const source = await new DataSource({
    type: 'postgres',
    url,
    schema: 'meridian',
    migrations: [MeridianSchema1763700000001, Decisions1763700000008, Telling1763700000014],
  }).initialize();
  await source.runMigrations();
  await source.query('CREATE TABLE meridian.change_all PARTITION OF meridian.change DEFAULT');
  await source.query(`INSERT INTO meridian.region (cluster, name, apply_role) VALUES ('test', 'us', 'none')`);
  await source.destroy();
}

/** REST over a database that is prepared already. Nest is loaded when a test asks for it, not by everything that uses the testkit. */
export async function serveRest(databaseUrl: string, options: RestRegionOptions) {
  const { NestFactory } = await import('@nestjs/core');
  const { ApiModule, createHttpAdapter, prepareApi } = await import('@meridian/api');
  const {
    createRowsPool,
    PgChangeFeed,
    PgConflictDesk,
    PgConflictReader,
    PgPolicyTrial,
    PgPositionStore,
    PgRowLog,
    PgRowStore,
  } = await import('@meridian/postgres');
  const { Registry } = await import('prom-client');
  const region = (options.region ?? 'us') as RegionId;
  const pool = createRowsPool({ url: databaseUrl, max: 10, statementTimeoutMs: 5_000, lockTimeoutMs: 2_000 });
  const listeners = new Set<() => void>();
  const promised: number[] = [];
  const api = {
    cluster: 'test',
    region,
    regions: ['us', 'eu', 'ap'],
    version: '0.0.0',
    bodyLimitBytes: options.bodyLimitBytes ?? 1_048_576,
    sessionWaitMs: options.sessionWaitMs ?? 400,
    maxRows: 1_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const ports = {
    rows: new PgRowStore(pool),
    positions: new PgPositionStore(pool, region),
    changes: new PgChangeFeed(pool, region),
    conflicts: new PgConflictReader(pool),
    rowLog: new PgRowLog(pool, region),
    policyTrial: new PgPolicyTrial(pool),
    desk: new PgConflictDesk(pool, region),
    relaying: {
      written: () => undefined,
      promised: (seq: number) => void promised.push(seq),
      onAdvance: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    tables: memoryEnrolment(),
    cluster: { regions: () => Promise.resolve([]) },
    doctor: memoryDoctor(),
    webhooks: memoryWebhooks(),
    readiness: {
      checks: () => Promise.resolve([{ name: 'relay', ok: options.ready ?? true, detail: 'as the test says' }]),
    },
    metrics: new Registry(),
  };
  const adapter = createHttpAdapter(api);
  const routes: [string, string][] = [];
  adapter
    .getInstance()
    .addHook(
      'onRoute',
      ({ method, url }: { method: string | string[]; url: string }) =>
        void routes.push(...[method].flat().map((m): [string, string] => [m, url])),
    );
  const app = await NestFactory.create(ApiModule.register(ports, api), adapter, { bodyParser: false, logger: false });
  prepareApi(app);
  await app.listen(0, '127.0.0.1');
  return {
    url: (await app.getUrl()).replace('[::1]', '127.0.0.1'),
    promised,
    routes,
    advanced: () => {
      for (const listener of listeners) listener();
    },
    stop: async () => {
      await app.close();
      await pool.end();
    },
  };
}

/** Finds of any table whose name does not begin with `no_` which policy it was asked about. */
function memoryDoctor() {
  return {
    examine: () => Promise.resolve({ findings: [], tables: [] }),
    check: ({ schema, name }: { schema: string; name: string }, policy?: TablePolicy) => {
      if (name.startsWith('no_')) return Promise.resolve(null);
      const told = { subject: name, message: JSON.stringify(policy ?? null), meaning: 'none', cure: { text: 'none' } };
      const items = (['hint', 'error'] as const).map((severity) => ({ ...told, severity, code: severity }));
      return Promise.resolve({ table: `${schema}.${name}`, state: 'refused' as const, items });
    },
  };
}

/** One webhook, called `inbox`. */
function memoryWebhooks() {
  const inbox: Webhook = {
    ...{ name: 'inbox', to: 'https://hooks.shop', events: ['conflict.opened'], tables: null },
    ...{ state: 'telling', detail: null, waiting: 0, oldestWaiting: null, failed: 0, toldAt: null },
  };
  const of = <T>(name: string, answer: T): Promise<T | null> => Promise.resolve(name === 'inbox' ? answer : null);
  return {
    list: () => Promise.resolve([inbox]),
    test: (name: string) => of(name, { told: true, status: 204, detail: 'it took the message' }),
    resume: (name: string) => of(name, { waiting: 3 }),
  };
}

/** Refuses any table whose name ends in `_without_key`. */
function memoryEnrolment() {
  const tables = new Map<string, EnrolledTable>();
  const revisions = new Map<string, readonly TableRevision[]>();
  const nameOf = (t: { schema: string; name: string }): string => `${t.schema}.${t.name}`;
  return {
    list: () => Promise.resolve([...tables.values()]),
    get: (t: { schema: string; name: string }) => Promise.resolve(tables.get(nameOf(t)) ?? null),
    revisions: (t: { schema: string; name: string }) => Promise.resolve(revisions.get(nameOf(t)) ?? null),
    put: (t: { schema: string; name: string }, policy: TablePolicy) => {
      if (t.name.endsWith('_without_key'))
        return Promise.resolve({
          kind: 'refused' as const,
          reasons: [
            {
              code: 'no_primary_key',
              detail: `${nameOf(t)} has no primary key`,
              cure: `ALTER TABLE ${nameOf(t)} ADD PRIMARY KEY (…)`,
            },
          ],
        });
      const created = !tables.has(nameOf(t));
      const table: EnrolledTable = {
        table: nameOf(t),
        state: 'active',
        reason: null,
        epoch: (tables.get(nameOf(t))?.epoch ?? 0) + 1,
        policy,
        enrolledAt: new Date(0).toISOString(),
      };
      tables.set(nameOf(t), table);
      const { epoch, enrolledAt: beganAt } = table;
      revisions.set(nameOf(t), [{ epoch, policy, beganAt }, ...(revisions.get(nameOf(t)) ?? [])]);
      return Promise.resolve({ kind: 'enrolled' as const, created, table: { ...table, keySequences: [] } });
    },
    remove: (t: { schema: string; name: string }) => {
      const kind = tables.delete(nameOf(t)) ? ('ended' as const) : ('not enrolled' as const);
      return Promise.resolve({ kind });
    },
  };
}
