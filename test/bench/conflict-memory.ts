import { readFileSync, writeFileSync } from 'node:fs';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Region } from './candidates/candidate.js';
import { MeridianService } from './candidates/meridian-service.js';
import { freshRegions } from './candidates/regions.js';
import { prepareServer } from './schema.js';
import { ServerPool } from './servers.js';

/*
 * What a service holds in memory with a million conflict records in its database: `node infra/bootstrap/run.mjs bench-conflicts
 * [records] [port]`. The figures in docs/benchmark.md are from here.
 */
const RECORDS = Number(process.argv[2] ?? 1_000_000);
const PORT = Number(process.argv[3] ?? 27_400);
const AT_ONCE = 1_000;
const IDLE_MS = 10_000;

async function bench(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'meridian-conflicts-'));
  chmodSync(dir, 0o755);
  const pool = new ServerPool(dir, PORT + 10, prepareServer);
  const [region] = (await freshRegions(pool, 'meridian', { regions: 1, tables: ['wide'] })) as [Region];
  const service = new MeridianService(dir, region, PORT, {});
  try {
    await service.start();
    await service.request('PUT', '/v1/tables/public.wide', { secret: ['b'] });
    const watch = new Residence(service.pid);
    await watch.step('at rest', () => pause(IDLE_MS));
    await watch.step(`${RECORDS} records recorded`, () => record(region.db));
    await watch.step('at rest', () => pause(IDLE_MS));
    for (const query of ['', 'status=open&', 'table=wide&kind=update_deleted&', 'status=resolved&', 'status=withdrawn&'])
      await watch.step(`100 pages of /v1/conflicts?${query}limit=1000`, () => pages(service, query));
    await watch.step('dry run of all', () =>
      service.request('POST', '/v1/conflicts:resolve', { filter: {}, strategy: 'winner', dryRun: true }),
    );
    await watch.step('preview of 50,000', () =>
      service.request('POST', '/v1/policies:preview', { table: 'wide', policy: { policy: 'first-write' }, limit: 50_000 }),
    );
    for (const format of ['csv', 'ndjson'])
      await watch.step(`export as ${format}`, () => exported(service, format));
    await watch.step('at rest', () => pause(IDLE_MS));
  } finally {
    await service.stop();
    await region.db.end();
    await pool.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A process's resident memory, now and at the highest since the last step began. */
class Residence {
  constructor(private readonly pid: number) {}

  async step(what: string, work: () => Promise<unknown>): Promise<void> {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    const start = performance.now();
    const told = await work();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    console.log(
      `${what}: ${this.megabytes('VmHWM')} MB at the highest, ${this.megabytes('VmRSS')} MB after ${seconds} s${typeof told === 'string' ? ` (${told})` : ''}`,
    );
  }

  private megabytes(name: string): number {
    const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Math.round(Number(line?.[1]) / 1024);
  }
}

async function record(db: Client): Promise<void> {
  await db.query('SET ROLE app');
  for (let from = 1; from <= RECORDS; from += AT_ONCE) {
    await db.query(RECORD, [from, Math.min(from + AT_ONCE - 1, RECORDS)]);
    await db.query(DECIDE, [from, Math.min(from + AT_ONCE - 1, RECORDS)]);
  }
  await db.query('RESET ROLE');
  await db.query('ANALYZE meridian.conflict, meridian.decision, meridian.open_conflict');
}

/** As apply would: two versions of a row of 200 bytes; every third is withdrawn, and every third is decided. */
const RECORD = /* sql */ `
INSERT INTO meridian.conflict
       (id, rel, pk, kind, region, status, loser, versions, base, overwritten, result, reason, created_at, updated_at)
SELECT md5(n::text), 'public.wide', json_build_array(n::text)::text, CASE n % 2 WHEN 0 THEN 'update_origin_differs' ELSE 'update_deleted' END, 'us',
       CASE n % 3 WHEN 0 THEN 'withdrawn' ELSE 'open' END,
       v.us, json_build_array(v.us, v.eu), v.was, json_build_array(json_build_object('columns', json_build_array('a'), 'part', NULL, 'policy', 'hlc',
         'winner', json_build_object('origin', 'eu', 'id', n), 'lost', v.mine, 'result', v.other, 'reason', 'eu''s write won: its stamp is 12 ms later; us had not yet seen it')),
       v.other, 'a: eu''s write won: its stamp is 12 ms later; us had not yet seen it',
       now() - interval '1 year' + n * interval '1 second', now() - interval '1 year' + n * interval '1 second'
  FROM generate_series($1::int, $2::int) n
 CROSS JOIN LATERAL (
   SELECT json_build_object('origin', 'us', 'id', n, 'op', 'update', 'stamp', '1', 'wall', '2026-01-01T00:00:00.000Z', 'actor', 'a user', 'values', w.mine) AS us,
          json_build_object('origin', 'eu', 'id', n, 'op', 'update', 'stamp', '2', 'wall', '2026-01-01T00:00:00.000Z', 'actor', 'a user', 'values', w.other) AS eu, w.*
     FROM (SELECT json_build_object('a', repeat(md5(n::text), 3), 'b', repeat(md5(n::text), 3)) AS mine,
                  json_build_object('a', repeat(md5((-n)::text), 3), 'b', repeat(md5((-n)::text), 3)) AS other,
                  json_build_object('id', n::text, 'a', 'before', 'b', 'before') AS was) w) v`;

const DECIDE = /* sql */ `
INSERT INTO meridian.decision (conflict, strategy, by, region, at, recorded_at)
SELECT id, 'accept', 'ann', 'us', created_at, created_at FROM meridian.conflict
 WHERE id IN (SELECT md5(n::text) FROM generate_series($1::int, $2::int) n WHERE n % 3 = 1)`;

async function pages(service: MeridianService, query: string): Promise<string> {
  let [cursor, found] = ['', 0];
  for (let page = 0; page < 100; page++) {
    const answer = (await service.request('GET', `/v1/conflicts?${query}limit=1000${cursor}`)) as {
      readonly items: readonly unknown[];
      readonly next: string | null;
    };
    found += answer.items.length;
    if (answer.next === null) break;
    cursor = `&cursor=${encodeURIComponent(answer.next)}`;
  }
  return `${found} records`;
}

async function exported(service: MeridianService, format: string): Promise<string> {
  const answer = await fetch(`${service.address}/v1/conflicts/export?format=${format}`);
  let bytes = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
  return `${Math.round(bytes / 1e6)} MB`;
}

void bench();
