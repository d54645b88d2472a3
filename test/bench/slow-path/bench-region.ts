import { decodeTickText, encodeTickText, regionId, type RegionId, type Tick } from '@meridian/core';
import type { EmbeddedPostgres } from '@meridian/embedded-postgres';
import { Enrolment, PgApplyStore, PgTickStore, prepareDatabase, SqlMergeSession } from '@meridian/postgres';
import { Applier, Relay } from '@meridian/replication';
import { sha256 } from '@meridian/transport';
import { Client } from 'pg';
import { cpuSeconds } from '../measure/processes.js';
import { RegionPolicyFunctions } from '../../../apps/region/src/merging/policy-functions.js';

export interface Took {
  readonly ms: number;
  /** Of this process and all of the server's: what else the machine does shows in it little. */
  readonly cpuMs: number;
}

/** A region without timers and transport: its relay and its applier over a database of their own, used step by step. */
export class BenchRegion {
  private constructor(
    readonly name: RegionId,
    readonly user: Client,
    private readonly ticks: PgTickStore,
    private readonly store: PgApplyStore,
    private readonly enrolment: Enrolment,
    private readonly functions: RegionPolicyFunctions,
    private readonly applier: Applier,
    private readonly postmaster: number,
  ) {}

  /** `postmaster`: its pid. */
  static async open(server: EmbeddedPostgres, postmaster: number, name: string): Promise<BenchRegion> {
    const region = regionId(name);
    await server.createDatabase(name, 'app');
    const url = server.urlOf(name, 'app', 'app');
    const { applyUrl, applyRole, replicaRole } = await prepareDatabase({
      ...{ url, region, cluster: 'bench', secret: 'bench-secret-of-the-benchmark-only-0123456789' },
    });
    const owner = { connectionString: url };
    const ticks = new PgTickStore({ region, connection: owner, historyMs: 0 });
    await ticks.maintainPartitions();
    const store = new PgApplyStore({ region, connection: { connectionString: applyUrl }, owner });
    const functions = new RegionPolicyFunctions(new SqlMergeSession(url));
    const none = (): void => undefined;
    const refused = (table: string, reason: string): void => console.error(`${table} refuses: ${reason}`);
    const applier = new Applier(store, sha256, functions, {
      ...{ retried: none, applied: none, passed: none, resumed: none, refused },
    });
    const user = new Client(owner);
    await user.connect();
    const enrolment = new Enrolment({ region, applyRole, replicaRole, url });
    return new BenchRegion(region, user, ticks, store, enrolment, functions, applier, postmaster);
  }

  async enrol(name: string, policy: object): Promise<void> {
    await (await this.enrolment.prepare({ schema: 'public', name }, policy)).commit();
  }

  /** As it comes out of the wire; null: there is nothing to ship. */
  async cut(): Promise<Tick | null> {
    const tick = await new Relay(this.ticks, sha256).cut(false);
    return tick === null ? null : decodeTickText(encodeTickText(tick));
  }

  async apply(tick: Tick): Promise<Took> {
    await this.store.enrolments();
    const before = this.cpuMs();
    const start = performance.now();
    const outcome = await this.applier.apply([tick]);
    if (outcome !== 'applied') throw new Error(`tick ${tick.seq} of ${tick.origin} was not applied in ${this.name}`);
    return { ms: performance.now() - start, cpuMs: this.cpuMs() - before };
  }

  private cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return cpuSeconds([this.postmaster]) * 1000 + (user + system) / 1000;
  }

  async close(): Promise<void> {
    await Promise.all([this.ticks.close(), this.store.close(), this.functions.close(), this.user.end()]);
  }
}
