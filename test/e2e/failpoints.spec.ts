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
  beforeAll(async () => {
    cluster = await TestCluster.start(['us', 'eu'], 21_200, { program: PROGRAM });
    await Increments.prepare(cluster);
    increments = new Increments(cluster, seeded(7));
    increments.start();
  });
  afterAll(async () => {
    await increments?.stop();
    await cluster?.stop();
  });

  it.each(FAILPOINTS)('comes back from %s', async (failpoint) => {
    const { service, name } = cluster.region('eu');
    const file = join(dirname(service.configFile), 'failpoint');
    writeFileSync(file, failpoint);
    await until(async () => !existsSync(file), `${failpoint} was reached`);
    await until(
      async () => (await cluster.rest(name, 'GET', '/readyz').catch(() => null))?.ok === true,
      `${name} is ready again`,
    );
  });

  it('has lost and doubled nothing after all of them (I3, I5, I7)', async () => {
    await increments.stop();
    await increments.verify();
  });
});
