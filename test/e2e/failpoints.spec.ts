import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FAILPOINTS } from './failpoints/failpoint.js';
import { TestCluster, until } from './cluster.js';
import { Increments, seeded } from './increments.js';

jest.setTimeout(240_000);

const PROGRAM = join(__dirname, '../../dist/test/e2e/failpoints/service.js');

describe('a service killed with SIGKILL at every step between commit and acknowledgement', () => {
  let cluster: TestCluster;
  let increments: Increments;
  let duels: Promise<void>;
  let stopped = false;
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 21_200, { program: PROGRAM });
    await Increments.prepare(cluster);
    increments = new Increments(cluster, seeded(7));
    increments.start();
    await cluster.everywhere('CREATE TABLE notes (id int PRIMARY KEY, note text)');
    await cluster.enrol('public.notes');
    await cluster.sql('us', 'INSERT INTO notes VALUES (1)');
    await cluster.equal('SELECT id FROM notes', (rows) => rows.length === 1);
    duels = duel(cluster, () => stopped);
  });
  afterAll(async () => {
    stopped = true;
    await Promise.all([increments?.stop(), duels]);
    await cluster?.stop();
  });

  it.each(FAILPOINTS)('comes back from %s', async (failpoint) => {
    const { service, name } = cluster.region('eu');
    const file = join(dirname(service.configFile), 'failpoint');
    writeFileSync(file, failpoint);
    // Races come by chance: rarely where the other region's tick takes longer than the own cut.
    await until(async () => !existsSync(file), `${failpoint} was reached`, 120_000);
    await cluster.untilReady(name);
  });

  it('has lost and doubled nothing after all of them (I3, I5, I7)', async () => {
    stopped = true;
    await Promise.all([increments.stop(), duels]);
    await increments.verify();
    await cluster.equal('SELECT * FROM notes');
    expect((await cluster.conflicts('us')).length).toBeGreaterThan(0);
  });
});

/** Both regions write one row at once, and give the loser time to be told: the counters' next write comes sooner. */
async function duel(cluster: TestCluster, stopped: () => boolean): Promise<void> {
  for (let round = 0; !stopped(); round++) {
    const write = (name: string) => cluster.sql(name, 'UPDATE notes SET note = $1', [`${name} ${round}`]);
    await Promise.all(cluster.names.map(write));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
