import {
  type BatchLimit,
  decodeTickText,
  encodeTickText,
  numberingOf,
  type RefusalMembers,
  regionId,
  type RegionId,
  type Retry,
  seq,
  type TableName,
  type TableRefused,
  type Tick,
  type Timers,
} from '@meridian/core';
import {
  Enrolment,
  type GivenEpochs,
  PgApplyStore,
  PgShares,
  PgTickStore,
  prepareDatabase,
  type PreparedDatabase,
  SqlMergeSession,
  type TableStanding,
} from '@meridian/postgres';
import { Applier, ApplyLoop, Inbox, Relay, Sweep } from '@meridian/replication';
import { templateDatabase, type TestDatabase } from '@meridian/testkit';
import { sha256 } from '@meridian/transport';
import { Client, Pool } from 'pg';
import { RegionPolicyFunctions } from '../../apps/region/src/merging/policy-functions.js';
import { type Stop, stoppable, type Stoppable } from './stops.js';

const none = (): void => undefined;
/** Nothing here waits by the clock: of the loop only `step` is used. */
const TIMERS: Timers = { now: Date.now, sleep: () => Promise.reject(new Error('nothing sleeps here')) };

/**
 * A region on a real PostgreSQL: the product's relay, inbox, apply loop, applier and sweep over its own stores. What a
 * service's timers and transport would do is done by the test, step by step; ticks travel as wire text.
 */
export class RealRegion {
  readonly timers = TIMERS;
  /** Why apply was taken again, in order. */
  readonly retries: (Retry | TableRefused)['retry'][] = [];
  /** Changes of ended enrolments that were let pass. */
  passed = 0;
  private readonly clients: Client[] = [];
  private readonly functions: RegionPolicyFunctions;
  private inbox = new Inbox(1_000_000);
  private pool: Pool | undefined;
  private readonly shipped: string[] = [];

  private constructor(
    readonly name: RegionId,
    readonly user: Client,
    private readonly watcher: Client,
    readonly ticks: PgTickStore,
    readonly store: PgApplyStore,
    private readonly database: TestDatabase,
    private readonly prepared: PreparedDatabase,
    private readonly peers: readonly RegionId[],
    private readonly batch: BatchLimit,
    private readonly enrolment: Enrolment,
    private readonly gates: Stoppable = stoppable(store),
  ) {
    this.functions = new RegionPolicyFunctions(new SqlMergeSession(database.url));
  }

  static async open(name: string, members: readonly string[], batch: BatchLimit): Promise<RealRegion> {
    const region = regionId(name);
    const database = await templateDatabase();
    const setup = { url: database.url, secret: 'a secret of tests', cluster: 'races', region };
    const prepared = await prepareDatabase(setup);
    const owner = { connectionString: database.url };
    const ticks = new PgTickStore({ region, connection: owner, historyMs: 0 });
    await ticks.maintainPartitions();
    const store = new PgApplyStore({ region, connection: { connectionString: prepared.applyUrl }, owner });
    const [user, watcher] = [new Client(owner), new Client(owner)];
    await Promise.all([user.connect(), watcher.connect()]);
    const peers = members.filter((m) => m !== name).map((m) => regionId(m));
    const { applyRole, replicaRole } = prepared;
    const enrolment = new Enrolment({ region, applyRole, replicaRole, url: database.url });
    return new RealRegion(region, user, watcher, ticks, store, database, prepared, peers, batch, enrolment);
  }

  /** Its owner's. */
  get url(): string {
    return this.database.url;
  }

  /** Another user's session. */
  async connect(application = 'a user'): Promise<Client> {
    const client = new Client({ connectionString: this.database.url, application_name: application });
    await client.connect();
    this.clients.push(client);
    return client;
  }

  async standing(name: string, policy: object): Promise<TableStanding | null> {
    return this.enrolment.standing({ schema: 'public', name }, policy);
  }

  async enrol(name: string, policy: object, epochs: GivenEpochs): Promise<void> {
    const prepared = await this.enrolment.prepare({ schema: 'public', name }, policy, epochs);
    if (prepared.spec.bounded !== undefined) await prepared.numberKeys(numberingOf([this.name, ...this.peers]), []);
    await prepared.commit();
  }

  /** What upkeep does now and then: capture is brought to what the tables are now, and who differs is told. */
  async noticeTables(): Promise<void> {
    for (const table of await this.enrolment.captureDrift()) await this.enrolment.renewCapture(table);
  }

  /** As GET /v1/tables tells it: null when it is active. */
  async waitsBecause(name: string): Promise<string | null> {
    const { state, reason } = (await this.enrolment.find({ schema: 'public', name }))!;
    return state === 'waiting' ? reason : null;
  }

  async unenrol(name: string): Promise<void> {
    await this.enrolment.remove(`public.${name}` as TableName);
  }

  /** The rows' columns as text, in the order of the rows' own text. */
  async read(sql: string, values: readonly unknown[] = []): Promise<string[]> {
    const query = { text: sql, values: [...values], rowMode: 'array' as const, types: AS_TEXT };
    const { rows } = await this.user.query<(string | null)[]>(query);
    return rows.map((row) => row.join(' | ')).sort();
  }

  /** What a relay does when it is woken: a tick with all that has become visible, or none. */
  async cut(heartbeat = false): Promise<Tick | null> {
    const tick = await new Relay(this.ticks, sha256).cut(heartbeat);
    if (tick !== null) this.shipped.push(encodeTickText(tick));
    return tick;
  }

  get lastShipped(): number {
    return this.shipped.length;
  }

  /** Everything that the other has shipped so far, once more: what is applied already is dropped. */
  receive(from: RealRegion): void {
    for (const text of from.shipped) this.inbox.put({ tick: decodeTickText(text), position: null });
  }

  /** All that is ready; what is not has to be offered again. False: nothing was. */
  async apply(): Promise<boolean> {
    const loop = new ApplyLoop(
      this.gates.store,
      this.applier(),
      this.sweeper(),
      this.inbox,
      this.peers,
      this.timers,
      this.batch,
      { advanced: none, waiting: none, halted: none },
    );
    let applied = false;
    while ((await loop.step()) !== null) applied = true;
    this.inbox = new Inbox(1_000_000);
    return applied;
  }

  /** Ticks from here to there, and what is ready applied. */
  async takeFrom(from: RealRegion): Promise<void> {
    this.receive(from);
    await this.apply();
  }

  sweep(): Promise<number> {
    return this.sweeper().run();
  }

  /** A round of what the leader does for bounded counters; how many rows it looked at. */
  moveShares(): Promise<number> {
    return this.shares().round();
  }

  /** What a refused REST write does. */
  seekShare(members: RefusalMembers, again: () => Promise<unknown>): Promise<{ readonly result: unknown } | null> {
    return this.shares().seek(members, 30_000, again);
  }

  private shares(): PgShares {
    this.pool ??= new Pool({ connectionString: this.database.url });
    return new PgShares(this.pool, this.name, [this.name, ...this.peers]);
  }

  resumeWaiting(): Promise<void> {
    return this.applier().resumeWaiting();
  }

  /** A second instance's applier: connections of its own. */
  async secondApplier(): Promise<{
    readonly apply: (ticks: readonly Tick[]) => Promise<string>;
    close(): Promise<void>;
  }> {
    const owner = { connectionString: this.database.url };
    const connection = { connectionString: this.prepared.applyUrl, application_name: 'second applier' };
    const store = new PgApplyStore({ region: this.name, connection, owner });
    await store.enrolments();
    return { apply: (ticks) => this.applier(store).apply(ticks), close: () => store.close() };
  }

  stopBefore(step: Parameters<Stoppable['stopBefore']>[0]): Stop {
    return this.gates.stopBefore(step);
  }

  letGo(): void {
    this.gates.letGo();
  }

  /** Until a session waits for a lock: of the applier, or one with this application name. Fails when the work ends without. */
  async untilWaits(work: Promise<unknown>, application = 'meridian apply'): Promise<void> {
    let ended = false;
    const end = (): void => void (ended = true);
    work.then(end, end);
    while (!(await this.waits(application)))
      if (ended) throw new Error(`${application} in ${this.name} was to wait for a lock, and did not`);
  }

  private async waits(application: string): Promise<boolean> {
    const { rowCount } = await this.watcher.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = $1`,
      [application],
    );
    return rowCount! > 0;
  }

  async position(origin: RealRegion): Promise<number> {
    return (await this.store.heads()).get(origin.name)?.seq ?? seq(0);
  }

  async close(): Promise<void> {
    await Promise.all([this.ticks.close(), this.store.close(), this.functions.close(), this.pool?.end()]);
    await Promise.all([this.user, this.watcher, ...this.clients].map((c) => c.end().catch(none)));
    await this.database.drop();
  }

  private applier(store = this.gates.store): Applier {
    return new Applier(store, sha256, this.functions, {
      retried: (because) => void this.retries.push(because.retry),
      passed: (changes) => (this.passed += changes.length),
      ...{ applied: none, refused: none, resumed: none },
    });
  }

  private sweeper(): Sweep {
    return new Sweep(this.store, sha256);
  }
}

const AS_TEXT = { getTypeParser: () => (value: string) => value };
