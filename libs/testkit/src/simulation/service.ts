import type { ApplyStore, Digest, RegionId, TickStore } from '@meridian/core';
import { Applier, ApplyLoop, Inbox, Pipeline, type PipelineEvents, Receiver, Sweep } from '@meridian/replication';
import { joinedVersions } from './merge-functions.js';
import { type MemoryDatabase, MemoryApplyStore, MemoryTickStore } from './memory-store/index.js';
import type { Network } from './network.js';
import type { SimulationOptions } from './options.js';
import { hash53 } from './prng.js';
import type { Agent } from './scheduler.js';
import { type Addressees, SimulatedTimers, SimulatedTransport } from './transport.js';

export const digest: Digest = (text) =>
  hash53(text).toString(16).padStart(14, '0') + hash53(`${text}.`).toString(16).padStart(18, '0');

/** Where a test takes a rule of the design away: between the runtime and its store. */
export interface Sabotage {
  readonly apply?: (store: ApplyStore) => ApplyStore;
  readonly ticks?: (store: TickStore) => TickStore;
}

export interface ServiceParts {
  readonly db: MemoryDatabase;
  readonly peers: readonly RegionId[];
  readonly network: Network;
  readonly addressees: Addressees;
  readonly options: SimulationOptions;
  readonly sabotage: Sabotage;
}

/** One region's service: the product's own pipeline over the memory store. Lives until its agent is killed. */
export class Service {
  readonly transport: SimulatedTransport;
  readonly ticks: TickStore;
  private readonly apply: ApplyStore;
  private readonly timers: SimulatedTimers;

  constructor(
    private readonly parts: ServiceParts,
    readonly agent: Agent,
  ) {
    const { db, peers, network, addressees, sabotage } = parts;
    const apply = new MemoryApplyStore(db, agent);
    const ticks = new MemoryTickStore(db, agent);
    this.apply = sabotage.apply?.(apply) ?? apply;
    this.ticks = sabotage.ticks?.(ticks) ?? ticks;
    this.timers = new SimulatedTimers(agent);
    this.transport = new SimulatedTransport(db.region, peers, agent, network, addressees);
  }

  async run(): Promise<void> {
    const { db, peers, options } = this.parts;
    const { apply, ticks, transport, timers } = this;
    const pipeline = new Pipeline(
      { region: db.region, peers, ticks, apply, transport, digest, functions: joinedVersions, timers },
      {
        tickIntervalMs: options.relayEvery / 1000,
        pollIntervalMs: options.relayEvery / 100,
        heartbeatMs: 100,
        batch: { ticks: options.batchTicks, changes: 50 },
        inboxChanges: 200,
        retentionIntervalMs: 25,
      },
      this.events(),
    );
    await pipeline.start();
  }

  /** A second instance that applies as well: two appliers at once in one region. */
  async runApplier(): Promise<void> {
    const { peers, options } = this.parts;
    const { apply, transport, timers } = this;
    const inbox = new Inbox(200);
    const signal = new AbortController().signal;
    const events = this.events();
    let heads = await apply.heads();
    const loop = new ApplyLoop(
      apply,
      new Applier(apply, digest, joinedVersions, events),
      new Sweep(apply, digest),
      inbox,
      peers,
      timers,
      { ticks: options.batchTicks, changes: 50 },
      { ...events, advanced: (now) => (heads = now) },
    );
    const wake = { received: () => loop.wake(), interrupted: events.interrupted.bind(events) };
    for (const origin of peers)
      void new Receiver(origin, transport, inbox, () => heads.get(origin)!, wake, timers).run(signal);
    await loop.run(signal);
  }

  private events(): PipelineEvents {
    const { scheduler } = this.agent;
    const nothing = (): void => undefined;
    return {
      advanced: nothing,
      applied: nothing,
      passed: nothing,
      cut: nothing,
      received: nothing,
      interrupted: (origin, error) =>
        scheduler.trace.event(1, () => `${this.parts.db.region} lost ${origin}: ${String(error)}`),
      waiting: nothing,
      // No table of the simulation differs between regions: one that waits would hide what went wrong.
      refused: (table, reason) => scheduler.fail(new Error(`${this.parts.db.region}: ${table} waits: ${reason}`)),
      resumed: nothing,
      retried: (because, attempts) => {
        if (attempts > 500) scheduler.fail(new Error(`apply was taken again ${attempts} times: ${because.detail}`));
      },
      halted: (error) => scheduler.fail(error),
      failed: (_part, error) => scheduler.fail(error),
    };
  }
}
