import { type RegionId, rowId, type Values } from '@meridian/core';
import { Sweep } from '@meridian/replication';
import { watchClosedVectors, watchWholeTransactions } from './checkers/causality.js';
import { assertEqual, EqualVectorsEqualTables, sameEnrolment, SameVersionsSameRow } from './checkers/equality.js';
import { watchBounds } from './checkers/bounds.js';
import { checkFinalState } from './checkers/final-state.js';
import { Ledger } from './checkers/ledger.js';
import { checkRecords } from './checkers/records.js';
import { checkLostKeys } from './checkers/lost-keys.js';
import { Violation } from './checkers/violation.js';
import {
  changePolicy,
  type Commit,
  CONFLICT_TABLE,
  endEnrolment,
  enrolAnew,
  keyOf,
  MemoryApplyStore,
  MemoryDatabase,
} from './memory-store/index.js';
import { Network } from './network.js';
import { optionsOf, type SimulationOptions } from './options.js';
import { Prng } from './prng.js';
import { INITIAL_ROWS, otherBoards, rangesOf, specsOf, VISITS } from './schema.js';
import { type Agent, type Micros, Scheduler, WaitQueue } from './scheduler.js';
import { digest, type Sabotage, Service } from './service.js';
import type { Addressees } from './transport.js';
import { Writer } from './workload.js';

export interface Outcome {
  readonly seed: number;
  readonly options: SimulationOptions;
  readonly failure: Error | null;
  /** Equal for equal runs. */
  readonly traceHash: string;
  readonly steps: number;
  readonly virtualMicros: Micros;
  readonly conflicts: number;
  readonly lines: readonly string[];
}

export interface RunOptions {
  readonly overrides?: Partial<SimulationOptions>;
  readonly sabotage?: Sabotage;
  readonly keepLines?: boolean;
}

/** 2026-01-01, in microseconds. */
const EPOCH = 1_767_225_600_000_000;
/** After everything is healed, regions must be equal within this. */
const LIVENESS_DEADLINE: Micros = 20_000_000;

/** One seed: one interleaving, one trace, one outcome. */
export async function simulate(seed: number, run: RunOptions = {}): Promise<Outcome> {
  const options = optionsOf(seed, run.overrides);
  const scheduler = new Scheduler(seed, options);
  if (run.keepLines === true) scheduler.trace.keepLines(() => scheduler.now);
  const cluster = new Cluster(seed, options, scheduler, run.sabotage ?? {});
  scheduler.spawn(scheduler.agent('director'), () => cluster.direct());
  await scheduler.run();
  return {
    seed,
    options,
    failure: scheduler.failure ?? cluster.unfinished(),
    traceHash: scheduler.trace.hash,
    steps: scheduler.steps,
    virtualMicros: scheduler.now,
    conflicts: cluster.conflicts,
    lines: scheduler.trace.text,
  };
}

const markOf = ({ changes, ticks, rows }: Commit): number =>
  changes.reduce((mark, change) => mark * 31 + change.id, ticks.length * 7 + rows.length) % 0x7fff_ffff;

function lineOf(region: RegionId, { kind, ticks, changes }: Commit): string {
  const ofTicks = ticks.map((t) => ` ${t.origin}/${t.seq}`).join('');
  const ofChanges = changes.map(({ table, key, op, patch, origin, id, unseen }) => {
    const exceptions = unseen === null ? '' : ` unseen ${JSON.stringify(unseen)}`;
    return `${op} ${table.split('.')[1]} ${key} ${table === CONFLICT_TABLE ? '' : (patch ?? '')} ${origin}/${id}${exceptions}`;
  });
  return [`${region} ${kind}${ofTicks}`, ...ofChanges].join('\n                 ');
}

class Cluster implements Addressees {
  private readonly regions: readonly RegionId[];
  private readonly databases = new Map<RegionId, MemoryDatabase>();
  private readonly services = new Map<RegionId, Service[]>();
  private readonly network: Network;
  private readonly ledger = new Ledger();
  private readonly equality: EqualVectorsEqualTables;
  private readonly skews = new Map<RegionId, Micros>();
  private readonly faults: Prng;
  private readonly director: Agent;
  private writing = false;
  private readonly burst = new WaitQueue();
  private finished = false;

  constructor(
    private readonly seed: number,
    private readonly options: SimulationOptions,
    private readonly scheduler: Scheduler,
    private readonly sabotage: Sabotage,
  ) {
    this.regions = options.regions as RegionId[];
    this.network = new Network(scheduler, Prng.of(seed, 'network'), options);
    this.faults = Prng.of(seed, 'faults');
    this.director = scheduler.agent('faults');
    const specs = specsOf(options);
    for (const region of this.regions) {
      this.skews.set(region, this.faults.between(-options.skew, options.skew));
      const wall = (): number => EPOCH + scheduler.now + this.skews.get(region)!;
      const db = new MemoryDatabase(region, this.regions, specs, scheduler, wall, options.partition, rangesOf(options));
      for (const [table, rows] of INITIAL_ROWS) db.seed(table, rows);
      this.databases.set(region, db);
    }
    for (const [table, rows] of INITIAL_ROWS) {
      const key = (values: Values) => keyOf(specs.get(table)!, values);
      this.ledger.begin(table, new Map(rows.map((values) => [rowId({ table, key: key(values) }), values])));
    }
    this.equality = new EqualVectorsEqualTables([...this.databases.values()], this.ledger);
    this.watch();
  }

  at(region: RegionId) {
    const services = (this.services.get(region) ?? []).filter((service) => service.agent.alive);
    return services.length === 0 ? null : { transports: services.map((s) => s.transport), ticks: services[0]!.ticks };
  }

  get conflicts(): number {
    return this.databases.get(this.regions[0]!)!.tables.get('meridian.conflict' as never)!.size;
  }

  unfinished(): Error | null {
    return this.finished ? null : new Violation('liveness', 'everybody waits, and nobody will be woken');
  }

  async direct(): Promise<void> {
    for (const region of this.regions) this.startService(region);
    this.startWriters();
    if (this.options.stocks) this.startMovingShares();
    this.startFaults();
    for (let i = 0; i < this.options.bursts; i++) {
      this.writing = true;
      this.burst.wakeAll();
      await this.director.sleep(this.options.burst);
      this.writing = false;
      if (i === this.options.bursts - 1) this.heal();
      await this.quiet(i === this.options.bursts - 1);
    }
    this.finish();
  }

  private watch(): void {
    const versions = new SameVersionsSameRow();
    for (const db of this.databases.values()) {
      db.observe((commit) => this.scheduler.trace.event(markOf(commit), () => lineOf(db.region, commit)));
      this.ledger.watch(db);
      versions.watch(db);
      watchClosedVectors(db);
      watchWholeTransactions(db);
      watchBounds(db);
      this.equality.watch(db);
    }
  }

  private startService(region: RegionId): void {
    const agent = this.scheduler.agent(`service ${region}`);
    const service = new Service(this.partsOf(region), agent);
    this.services.set(region, [service]);
    this.scheduler.spawn(agent, () => service.run());
    if (!this.options.twoAppliers || !this.faults.chance(0.5)) return;
    const second = new Service(this.partsOf(region), this.scheduler.agent(`second service ${region}`));
    this.services.get(region)!.push(second);
    this.scheduler.spawn(second.agent, () => second.runApplier());
  }

  private partsOf(region: RegionId) {
    const { network, options, sabotage } = this;
    const peers = this.regions.filter((other) => other !== region);
    return { db: this.databases.get(region)!, peers, network, addressees: this, options, sabotage };
  }

  private startWriters(): void {
    for (const region of this.regions)
      for (let i = 1; i <= this.options.writers; i++) {
        const agent = this.scheduler.agent(`${region}${i}`);
        const prng = Prng.of(this.seed, `writer ${agent.name}`);
        const writer = new Writer(this.databases.get(region)!, agent, prng, this.options);
        this.scheduler.spawn(agent, () => writer.write(() => this.writing, this.burst));
      }
  }

  /** Until all is healed: then the regions are to come to rest. */
  private startMovingShares(): void {
    for (const region of this.regions) {
      const agent = this.scheduler.agent(`shares ${region}`);
      const prng = Prng.of(this.seed, agent.name);
      const mover = new Writer(this.databases.get(region)!, agent, prng, this.options);
      this.scheduler.spawn(agent, () => mover.moveShares(() => !this.healed));
    }
  }

  private startFaults(): void {
    const agent = this.scheduler.agent('faults');
    this.scheduler.spawn(agent, async () => {
      for (;;) {
        await agent.sleep(this.faults.spread(1_000, 30_000));
        if (this.healed) return;
        if (this.options.cuts && this.faults.chance(0.5)) this.cutSome();
        if (this.options.crashes && this.faults.chance(0.4)) this.crash(this.faults.pick(this.regions));
        if (this.options.clockJumps)
          this.skews.set(this.faults.pick(this.regions), this.faults.between(-this.options.skew, this.options.skew));
        if (this.options.enrolments && this.faults.chance(0.5)) await this.enrolAgain(agent);
        if (this.options.policies && this.options.boards) await this.changePolicy(agent);
      }
    });
  }

  private cutSome(): void {
    const [from, to] = this.faults.shuffle(this.regions) as [RegionId, RegionId];
    this.network.cutLink(from, to);
    if (this.faults.chance(0.5)) this.network.cutLink(to, from);
    this.scheduler.wakeAt(this.scheduler.now + this.faults.spread(2_000, 60_000), () => {
      this.network.mendLink(from, to);
      this.network.mendLink(to, from);
    });
  }

  private async changePolicy(agent: Agent): Promise<void> {
    const regions = this.faults.shuffle([...this.databases.values()]);
    await changePolicy(regions, agent, otherBoards(this.options, this.faults));
    this.scheduler.trace.event(5, () => 'boards has another policy');
  }

  /** Un-enrolled in some regions or in all, one after another, and enrolled again, sooner or later. */
  private async enrolAgain(agent: Agent): Promise<void> {
    const regions = this.faults.shuffle([...this.databases.values()]);
    for (const db of regions.slice(0, this.faults.between(1, regions.length))) {
      await endEnrolment(db, agent, VISITS);
      this.scheduler.trace.event(3, () => `${db.region} un-enrols visits`);
      await agent.sleep(this.faults.spread(20, 10_000));
    }
    await enrolAnew(regions, agent, VISITS, (rows) => this.ledger.begin(VISITS, rows));
    this.scheduler.trace.event(4, () => 'visits is enrolled anew');
  }

  /** kill -9 between any two steps; what was not committed is gone. Comes back by itself. */
  private crash(region: RegionId): void {
    for (const service of this.services.get(region) ?? []) service.agent.kill();
    this.scheduler.trace.event(2, () => `${region} crashes`);
    this.scheduler.wakeAt(this.scheduler.now + this.faults.spread(1_000, 40_000), () => {
      if (this.at(region) === null) this.startService(region);
    });
  }

  private healed = false;

  private heal(): void {
    this.healed = true;
    this.network.heal();
    this.scheduler.heal();
  }

  /** Waits until nothing moves any more and compares; in a spell that is not the last, only as long as it may take. */
  private async quiet(last: boolean): Promise<void> {
    const deadline = this.scheduler.now + (last ? LIVENESS_DEADLINE : 150_000);
    while (!this.settled() || (await this.sweepAll()) > 0 || !this.settled()) {
      if (this.scheduler.now > deadline && last) throw this.notSettled();
      if (this.scheduler.now > deadline) return;
      await this.director.sleep(5_000);
    }
    const [first, ...others] = [...this.databases.values()];
    for (const other of others) assertEqual(first!, other, 'shown');
  }

  private settled(): boolean {
    const [first, ...others] = [...this.databases.values()];
    const busy = [...this.databases.values()].some((db) => db.log.hasUncut || db.running.size > 0);
    const enrolled = others.every((other) => sameEnrolment(first!, other, VISITS));
    return (
      !busy && enrolled && this.ledger.uncut === 0 && others.every((other) => this.equality.sameVector(first!, other))
    );
  }

  /** By a process of our own: a service may be killed while somebody waits for its sweep. */
  private async sweepAll(): Promise<number> {
    let moved = 0;
    for (const db of this.databases.values()) {
      const store = new MemoryApplyStore(db, this.director);
      moved += (await new Sweep(this.sabotage.apply?.(store) ?? store, digest).run()) ?? 0;
    }
    return moved;
  }

  private notSettled(): Violation {
    const where = [...this.databases.values()].map(
      (db) =>
        `  ${db.region}: ${JSON.stringify(db.vector())}, ${db.running.size} transactions running, uncut ${db.log.hasUncut}`,
    );
    return new Violation(
      'liveness',
      `all is healed, and the regions are not equal within ${LIVENESS_DEADLINE / 1e6} s:\n${where.join('\n')}`,
    );
  }

  private finish(): void {
    const db = this.databases.get(this.regions[0]!)!;
    checkFinalState(db, this.ledger, digest);
    checkRecords(db, this.ledger, digest);
    checkLostKeys(db, this.ledger);
    this.finished = true;
    this.scheduler.stop();
  }
}
