import type { Cancellation, Seq, Tick, Timers } from '@meridian/core';
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

/** The relay is busy for a third of the time at most. */
const REST_PER_CUT = 2;

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
    let idle = 0;
    let lastSeq = 0;
    let tookMs = 0;
    while (!signal.aborted) {
      const due = this.timers.now() - lastTick >= this.pace.heartbeatMs || lastSeq < this.promised;
      const began = this.timers.now();
      const tick = await this.relay.cut(due);
      if (tick !== null) {
        lastTick = this.timers.now();
        lastSeq = tick.seq;
        tookMs = lastTick - began;
        await this.publish(tick);
      }
      idle = tick !== null && tick.changes.length > 0 ? 0 : idle + 1;
      if (lastSeq < this.promised) continue;
      await this.wakeup.wait(this.pause(idle, lastTick), this.timers, signal);
      await this.rest(lastTick, tookMs, signal);
    }
  }

  /** Doubles while nothing is found, from the tick interval to the poll interval, but never beyond the next heartbeat. */
  private pause(idle: number, lastTick: number): number {
    const { pollIntervalMs, tickIntervalMs, heartbeatMs } = this.pace;
    const untilHeartbeat = Math.max(0, lastTick + heartbeatMs - this.timers.now());
    return Math.min(pollIntervalMs, tickIntervalMs * 2 ** Math.min(idle, 10), untilHeartbeat);
  }

  /**
   * Every write of the service wakes the relay: without a rest a busy region cuts a tick per write, and folds nothing. A tick
   * costs two databases a transaction each whatever is in it, so the slower cutting gets, the rarer and larger ticks become.
   */
  private async rest(lastTick: number, tookMs: number, signal: Cancellation): Promise<void> {
    const left = lastTick + Math.max(this.pace.tickIntervalMs, REST_PER_CUT * tookMs) - this.timers.now();
    if (left > 0) await this.timers.sleep(left, signal);
  }
}
