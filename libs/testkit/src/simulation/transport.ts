import type { Cancellation, DeliveredTick, RegionId, Seq, Tick, TickStore, Timers, Transport } from '@meridian/core';
import type { Network } from './network.js';
import { type Agent, type Micros, WaitQueue } from './scheduler.js';

const FETCH_TIMEOUT: Micros = 40_000;
const LIMIT = { ticks: 20, changes: 1_000 };

/** Whoever serves a region at present; none while its service is down. */
export interface Addressees {
  at(region: RegionId): { readonly transports: readonly SimulatedTransport[]; readonly ticks: TickStore } | null;
}

/** Virtual time behind the runtimes' port. */
export class SimulatedTimers implements Timers {
  constructor(private readonly agent: Agent) {}

  now(): number {
    return this.agent.scheduler.now / 1000;
  }

  async sleep(millis: number, signal: Cancellation): Promise<void> {
    if (signal.aborted) return;
    const aborted = new WaitQueue();
    const wake = (): void => aborted.wakeAll();
    signal.addEventListener('abort', wake);
    await this.agent.wait(aborted, millis * 1000);
    signal.removeEventListener('abort', wake);
  }
}

/** Carries ticks over the simulated network: they are lost, repeated and reordered; a fetch may find nobody. */
export class SimulatedTransport implements Transport {
  private readonly mailboxes = new Map<RegionId, Tick[]>();
  private readonly arrived = new WaitQueue();
  private fetches = 0;

  constructor(
    private readonly region: RegionId,
    private readonly peers: readonly RegionId[],
    private readonly agent: Agent,
    private readonly network: Network,
    private readonly addressees: Addressees,
  ) {}

  async publish(tick: Tick): Promise<void> {
    await this.agent.step('publish');
    for (const peer of this.peers)
      this.network.send(this.region, peer, () => {
        for (const transport of this.addressees.at(peer)?.transports ?? []) transport.deliver(tick);
      });
  }

  async *subscribe(origin: RegionId, from: Seq, signal: Cancellation): AsyncIterable<DeliveredTick> {
    const wake = (): void => this.arrived.wakeAll();
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      const tick = this.mailbox(origin).shift();
      if (tick === undefined) await this.agent.wait(this.arrived, Infinity);
      else if (tick.seq >= from) yield { tick, position: null };
    }
    signal.removeEventListener('abort', wake);
  }

  /** Every region keeps what it applied: the origin is asked first, or last, and who does not have them is not the end of it. */
  async fetch(origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> {
    const others = this.peers.filter((peer) => peer !== origin);
    for (const peer of this.fetches++ % 4 === 0 ? [...others, origin] : [origin, ...others]) {
      const ticks = await this.ask(peer, origin, from, to);
      if (ticks.length > 0) return ticks;
    }
    return [];
  }

  private async ask(peer: RegionId, origin: RegionId, from: Seq, to: Seq): Promise<readonly Tick[]> {
    const answered = new WaitQueue();
    let answer: readonly Tick[] = [];
    this.network.send(this.region, peer, () => {
      const ticks = this.addressees.at(peer)?.ticks;
      if (ticks === undefined) return;
      void ticks.readTicks(origin, from, LIMIT).then((found) =>
        this.network.send(peer, this.region, () => {
          answer = found.filter((tick) => tick.seq <= to);
          answered.wakeAll();
        }),
      );
    });
    await this.agent.wait(answered, FETCH_TIMEOUT);
    return answer;
  }

  async close(): Promise<void> {
    await this.agent.step('close');
  }

  deliver(tick: Tick): void {
    if (!this.agent.alive) return;
    this.mailbox(tick.origin).push(tick);
    this.arrived.wakeAll();
  }

  private mailbox(origin: RegionId): Tick[] {
    const box = this.mailboxes.get(origin) ?? [];
    this.mailboxes.set(origin, box);
    return box;
  }
}
