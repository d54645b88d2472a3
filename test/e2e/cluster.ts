import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster, type LocalClusterOptions, type LocalRegion } from '../../apps/cli/src/dev/local-cluster.js';
import { ReachableRegions } from './reachable-regions.js';

export { until } from './reachable-regions.js';

/** Whole regions as processes: the service as users start it, on embedded PostgreSQL. */
export class TestCluster extends ReachableRegions<LocalRegion> {
  private constructor(
    readonly local: LocalCluster,
    private readonly dataDir: string,
  ) {
    super(local.regions);
  }

  static async start(
    regions: readonly string[],
    firstPort: number,
    more: Partial<LocalClusterOptions> = {},
  ): Promise<TestCluster> {
    const dataDir = mkdtempSync(join(tmpdir(), 'meridian-e2e-'));
    const options = {
      regions,
      port: firstPort,
      pgPort: firstPort + 50,
      dataDir,
      transport: 'direct' as const,
      links: true,
      ...more,
    };
    return new TestCluster(await LocalCluster.start(options), dataDir);
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.local.stop();
    if (process.env.MERIDIAN_KEEP_DATA === undefined) rmSync(this.dataDir, { recursive: true, force: true });
  }
}
