import type { Cancellation, Seq, Tick, Timers } from '@meridian/core';
import { restUnder } from '../rest.js';
import { Wakeup } from '../wakeup.js';
import type { Relay } from './relay.js';

export interface Pace {
  /** Shortest time between two ticks under load. */
  readonly tickIntervalMs: number;
  /** Longest time between two looks for writes of SQL clients, which wake nobody. */
  readonly pollIntervalMs: number;
  /** An empty tick when idle this long: it carries deps and the clock. */
  readonly heartbeatMs: number;
}

/** Of a region under load: its ticks hold some dozen changes each, and nobody sees them later than this for its sake. */
const LONGEST_REST_MS = 40;

/** When to cut: at once when woken by the service's own writes, by an adaptive poll otherwise, and a heartbeat when idle. */
export class RelayLoop {
  private readonly wakeup = new Wakeup();
  private promised = 0;

  constructor(
    private readonly relay: Relay,
    private readonly publish: (tick: Tick) => Promise<void>,
    private readonly timers: Timers,
    private readonly pace: Pace,
  ) {}

  /** The service itself has written. */
  wake(): void {
    this.wakeup.wake();
  }

  /** A session token names this seq: ticks are cut up to it without waiting for a heartbeat. */
  promise(seq: Seq): void {
    this.promised = Math.max(this.promised, seq);
    this.wake();
  }

  async run(signal: Cancellation): Promise<void> {
    let lastTick = -Infinity;
    let lastChange = this.timers.now();
    let lastSeq = 0;
    let restMs = 0;
    while (!signal.aborted) {
      const due = this.timers.now() - lastTick >= this.pace.heartbeatMs || lastSeq < this.promised;
      const began = this.timers.now();
      const tick = await this.relay.cut(due);
      if (tick !== null) {
        const now = this.timers.now();
        restMs = Math.min(now - began + restUnder(tick.changes.length, now - lastTick), LONGEST_REST_MS);
        lastTick = now;
        lastSeq = tick.seq;
        await this.publish(tick);
      }
      if (tick !== null && tick.changes.length > 0) lastChange = lastTick;
      if (lastSeq >= this.promised) await this.wakeup.wait(this.pause(lastChange, lastTick), this.timers, signal);
      await this.rest(lastTick, restMs, signal);
    }
  }

  /**
   * A look that finds nothing is one small query: looked for again after a quarter of the time for which nothing came, between
   * the tick interval and the poll interval, but never beyond the next heartbeat.
   */
  private pause(lastChange: number, lastTick: number): number {
    const { pollIntervalMs, tickIntervalMs, heartbeatMs } = this.pace;
    const now = this.timers.now();
    const untilHeartbeat = Math.max(0, lastTick + heartbeatMs - now);
    return Math.min(Math.max(tickIntervalMs, (now - lastChange) / 4), pollIntervalMs, untilHeartbeat);
  }

  /**
   * Every write of the service wakes the relay: without a rest a busy region cuts a tick per write, and folds nothing. A tick
   * costs every region a transaction whatever is in it: the more changes come, the rarer and larger ticks become.
   */
  private async rest(lastTick: number, restMs: number, signal: Cancellation): Promise<void> {
    const left = lastTick + Math.max(this.pace.tickIntervalMs, restMs) - this.timers.now();
    if (left > 0) await this.timers.sleep(left, signal);
  }
}
