import {
  type Cancellation,
  type DeliveredTick,
  type RegionId,
  type Seq,
  type Timers,
  type Transport,
} from '@meridian/core';
import { type Inbox, seqAfter } from './inbox.js';

export interface ReceiverEvents {
  received(delivered: DeliveredTick): void;
  /** The stream broke, or a gap could not be filled; it is taken up again. */
  interrupted(origin: RegionId, error: unknown): void;
}

/** One origin's stream into the inbox: duplicates are dropped, a gap is fetched, whatever the transport repeats or loses. */
export class Receiver {
  constructor(
    private readonly origin: RegionId,
    private readonly transport: Transport,
    private readonly inbox: Inbox,
    private readonly head: () => { readonly seq: Seq; readonly position: string | null },
    private readonly events: ReceiverEvents,
    private readonly timers: Timers,
  ) {}

  async run(signal: Cancellation): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const received = await this.stream(signal);
        failures = received ? 0 : failures + 1;
      } catch (error) {
        failures++;
        if (!signal.aborted) this.events.interrupted(this.origin, error);
      }
      if (!signal.aborted) await this.timers.sleep(Math.min(2_000, 50 * 2 ** Math.min(failures, 6)), signal);
    }
  }

  private async stream(signal: Cancellation): Promise<boolean> {
    const { seq, position } = this.head();
    let expected = seqAfter(seq);
    let received = false;
    for await (const delivered of this.transport.subscribe(this.origin, expected, signal, position)) {
      received = true;
      if (delivered.tick.seq < expected) continue;
      if (delivered.tick.seq > expected) await this.fill(expected, delivered.tick.seq, signal);
      await this.accept(delivered, signal);
      expected = seqAfter(delivered.tick.seq);
    }
    return received;
  }

  private async accept(delivered: DeliveredTick, signal: Cancellation): Promise<void> {
    await this.inbox.room(() => this.head().seq + 1 >= delivered.tick.seq, signal);
    this.inbox.put(delivered);
    this.events.received(delivered);
  }

  /** The ticks before `to` that the transport did not bring: from the origin, or any peer that has them. */
  private async fill(from: Seq, to: Seq, signal: Cancellation): Promise<void> {
    let expected = from;
    while (expected < to && !signal.aborted) {
      const last = Math.min(to - 1, expected + PORTION - 1) as Seq;
      const ticks = await this.transport.fetch(this.origin, expected, last);
      const missing = ticks.filter((t) => t.seq >= expected).sort((a, b) => a.seq - b.seq);
      if (missing[0]?.seq !== expected)
        throw new Error(`ticks ${this.origin}/${expected} to ${to - 1} are missing, and no peer has them`);
      for (const tick of missing) {
        if (tick.seq !== expected) break;
        await this.accept({ tick, position: null }, signal);
        expected = seqAfter(expected);
      }
    }
  }
}

/** Ticks that are asked for at once: a region that was away for a month must not hold its whole gap in memory. */
const PORTION = 64;
