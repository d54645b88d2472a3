import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReachableRegions, until } from '../e2e/reachable-regions.js';
import { KafkaBroker } from './kafka-broker.js';

jest.setTimeout(120_000);

const CLI = join(__dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');
const PORT = 22_100;
const PG_PORT = 22_150;
const NAMES = ['us', 'eu'];

describe('`meridian dev --transport kafka --brokers …`', () => {
  const data = mkdtempSync(join(tmpdir(), 'meridian-dev-kafka-'));
  const regions = new ReachableRegions(
    NAMES.map((name, i) => ({
      name,
      http: `http://127.0.0.1:${PORT + i}`,
      postgres: `postgres://app:app@127.0.0.1:${PG_PORT + i}/app`,
    })),
  );
  let broker: KafkaBroker;
  let service: ChildProcess;
  let printed = '';

  const meridian = (...options: readonly string[]): ChildProcess => {
    const places = ['--regions', NAMES.join(','), '--port', `${PORT}`, '--pg-port', `${PG_PORT}`, '--data', data];
    const started = spawn(process.execPath, [CLI, 'dev', '--transport', 'kafka', ...places, ...options]);
    printed = '';
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (text: Buffer) => (printed += text.toString()));
    return started;
  };

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    service = meridian('--brokers', broker.address, '--no-traffic');
    await until(async () => printed.includes('ready\n') || service.exitCode !== null, 'it is ready', 90_000);
  });
  afterAll(async () => {
    await regions.disconnect();
    if (service?.exitCode === null) {
      service.kill('SIGTERM');
      await once(service, 'exit');
    }
    await broker?.stop();
    rmSync(data, { recursive: true, force: true });
  });

  it('runs regions whose writes travel over a topic for each of them', async () => {
    expect(printed).toContain('ready');
    for (const name of NAMES)
      await regions.sql(name, `INSERT INTO customers (email, name) VALUES ($1 || '@example.com', $1)`, [name]);
    await regions.equal('SELECT name FROM customers ORDER BY name', (rows) => rows.length === 2);
    const admin = broker.client().admin();
    await admin.connect();
    for (const name of NAMES)
      await until(async () => {
        const [partition] = await admin.fetchTopicOffsets(`meridian.dev.${name}`).catch(() => []);
        return Number(partition?.high ?? 0) > 0;
      }, `${name} publishes`);
    await admin.disconnect();
  });

  it('ends in order at Ctrl-C', async () => {
    const ended = once(service, 'exit');
    service.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it('says what is missing when no broker is named', async () => {
    const nameless = meridian();
    const [status] = (await once(nameless, 'close')) as [number];
    expect([status, printed]).toEqual([1, expect.stringContaining('--brokers 127.0.0.1:9092') as string]);
  });
});
