import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ServiceProcess } from '../../apps/cli/src/dev/service-process.js';
import { TestCluster } from './cluster.js';

jest.setTimeout(180_000);

const SECOND_PORT = 21_690;

describe('two instances of one region', () => {
  let cluster: TestCluster;
  let second: ServiceProcess;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 21_600);
    await cluster.everywhere('CREATE TABLE items (id int PRIMARY KEY, name text)');
    await cluster.enrol('public.items');
    const { service } = cluster.region('us');
    const folder = dirname(service.configFile);
    const config = parse(readFileSync(service.configFile, 'utf8')) as { http: object };
    const file = join(folder, 'second.yaml');
    writeFileSync(file, stringify({ ...config, http: { ...config.http, port: SECOND_PORT } }));
    second = new ServiceProcess('us', file, join(folder, 'second.log'));
    second.start();
    await cluster.local.untilReady({ name: 'us', http: `http://127.0.0.1:${SECOND_PORT}` });
  });
  afterAll(async () => {
    await second?.stop();
    await cluster?.stop();
  });

  it('both serve REST while one of them relays', async () => {
    const written = await fetch(`http://127.0.0.1:${SECOND_PORT}/v1/data/items`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":1,"name":"by the second"}',
    });
    expect(written.status).toBe(201);
    const read = await cluster.rest('eu', 'GET', '/v1/data/items/1', undefined, {
      'meridian-session': written.headers.get('meridian-session')!,
    });
    expect(read.status).toBe(200);
  });

  it('the second takes over within 10 s when the first is killed', async () => {
    cluster.region('us').service.kill9(false);
    cluster.local.retarget('us', SECOND_PORT);
    const killed = Date.now();
    await cluster.sql('us', `INSERT INTO items VALUES (2, 'after the kill')`);
    await cluster.sql('eu', `INSERT INTO items VALUES (3, 'to the second')`);
    await cluster.equal('SELECT id FROM items ORDER BY id', (rows) => rows.length === 3, 20_000);
    expect(Date.now() - killed).toBeLessThan(10_000);
  });
});
