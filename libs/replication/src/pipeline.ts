import {
  type ApplyStore,
  type BatchLimit,
  type ClockOffsets,
  type Digest,
  type PolicyFunctions,
  type RegionId,
  type Seq,
  type Tick,
  type TickStore,
  type Timers,
  type Transport,
  type Vector,
  seq,
} from '@meridian/core';
import { ApplyLoop, type ApplyLoopEvents } from './apply/apply-loop.js';
import { Applier, type ApplierEvents } from './apply/applier.js';
import { Sweep } from './apply/sweep.js';
import { Inbox } from './receive/inbox.js';
import { Receiver, type ReceiverEvents } from './receive/receiver.js';
import { Relay } from './relay/relay.js';
import { type Pace, RelayLoop } from './relay/relay-loop.js';
import { RetentionLoop } from './retention/retention-loop.js';

/*
 * Read this first. The way of a write through one region:
 *
 *   capture (triggers) → log → relay → transport ··· transport → receive → apply → log, tables, conflict records, vector
 *
 * One pipeline runs per region at a time: by the service instance that holds the leader lock.
 */

export interface PipelineParts {
  readonly region: RegionId;
  /** The other regions. */
  readonly peers: readonly RegionId[];
  readonly ticks: TickStore;
  readonly apply: ApplyStore;
  readonly transport: Transport;
  readonly digest: Digest;
  /** Of users, that decide conflicts. */
  readonly functions: PolicyFunctions;
  readonly timers: Timers;
  /** Told in conflict records. */
  readonly clockOffsets?: ClockOffsets;
}

export interface PipelineSettings extends Pace {
  readonly batch: BatchLimit;
  /** Changes that have arrived and are not applied, at most (but always the next tick of each origin). */
  readonly inboxChanges: number;
  readonly retentionIntervalMs: number;
}

export interface PipelineEvents extends ApplyLoopEvents, ReceiverEvents, ApplierEvents {
  /** A tick was cut and its row committed. */
  cut(tick: Tick): void;
  /** A loop failed; it goes on by itself. */
  failed(part: 'relay' | 'retention', error: unknown): void;
}

export class Pipeline {
  private readonly abort = new AbortController();
  private readonly inbox: Inbox;
  private readonly relayLoop: RelayLoop;
  private readonly applyLoop: ApplyLoop;
  private heads: ReadonlyMap<RegionId, { readonly seq: Seq; readonly position: string | null }> = new Map();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly parts: PipelineParts,
    private readonly settings: PipelineSettings,
    private readonly events: PipelineEvents,
  ) {
    const { apply, digest, timers, peers } = parts;
    this.inbox = new Inbox(settings.inboxChanges);
    this.relayLoop = new RelayLoop(new Relay(parts.ticks, digest), (tick) => this.publish(tick), timers, settings);
    this.applyLoop = new ApplyLoop(
      apply,
      new Applier(apply, digest, parts.functions, events, parts.clockOffsets),
      new Sweep(apply, digest),
      this.inbox,
      peers,
      timers,
      settings.batch,
      {
        advanced: (heads) => {
          this.heads = heads;
          events.advanced(heads);
        },
        waiting: (table) => events.waiting(table),
        halted: (error) => events.halted(error),
      },
    );
  }

  async start(): Promise<void> {
    this.heads = await this.parts.apply.heads();
    const { signal } = this.abort;
    const { timers, transport, ticks, peers, region } = this.parts;
    const receivers = peers.map(
      (origin) => new Receiver(origin, transport, this.inbox, () => this.headOf(origin), this.receiverEvents(), timers),
    );
    const retention = new RetentionLoop(
      ...([
        ticks,
        [region, ...peers],
        timers,
        this.settings.retentionIntervalMs,
        (cut: Vector) => this.applyLoop.swept(cut),
      ] as const),
      (error) => this.events.failed('retention', error),
    );
    this.running = Promise.all([
      this.relay(),
      this.applyLoop.run(signal),
      retention.run(signal),
      ...receivers.map((r) => r.run(signal)),
    ]);
  }

  /** The service itself has written: the relay need not wait for its next poll. */
  wake(): void {
    this.relayLoop.wake();
  }

  promise(own: Seq): void {
    this.relayLoop.promise(own);
  }

  /** A table was enrolled or mended: ticks that waited for it may go on. */
  tablesChanged(): void {
    this.applyLoop.wake();
  }

  get backlog(): number {
    return this.inbox.size;
  }

  async stop(): Promise<void> {
    this.abort.abort();
    this.inbox.release();
    await this.running;
  }

  /** The relay's own failures (its database is away) do not end the pipeline: it begins anew. */
  private async relay(): Promise<void> {
    const { signal } = this.abort;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.relayLoop.run(signal);
      } catch (error) {
        this.events.failed('relay', error);
        await this.parts.timers.sleep(Math.min(5_000, 100 * 2 ** Math.min(failures, 6)), signal);
      }
    }
  }

  private async publish(tick: Tick): Promise<void> {
    this.events.cut(tick);
    await this.parts.transport.publish(tick);
  }

  private headOf(origin: RegionId): { readonly seq: Seq; readonly position: string | null } {
    return this.heads.get(origin) ?? { seq: seq(0), position: null };
  }

  private receiverEvents(): ReceiverEvents {
    return {
      received: (delivered) => {
        this.applyLoop.wake();
        this.events.received(delivered);
      },
      interrupted: (origin, error) => this.events.interrupted(origin, error),
    };
  }
}
