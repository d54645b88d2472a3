import type { ServerResponse } from 'node:http';
import type { RegionId, Seq, Tick, TickReader } from '@meridian/core';
import { pause } from '../cancellation.js';
import type { Envelopes } from '../envelope/envelope.js';
import { sealedParts } from '../envelope/tick-messages.js';
import { problemBody, sendJson } from '../peers/problem.js';
import { frame, SIGN_OF_LIFE, WORKING } from './frames.js';
import type { FramedTick, RecentTicks } from './recent-ticks.js';

export interface FeedRequest {
  readonly origin: RegionId;
  readonly from: Seq;
  readonly to: Seq;
  /** Null: as long as both live. */
  readonly waitMs: number | null;
}

export interface FeedOptions {
  readonly envelopes: Envelopes;
  readonly reader: TickReader;
  readonly recent: RecentTicks;
  readonly lifeSignMs?: number;
  readonly drainTimeoutMs?: number;
}

/** What one stream may hold in memory at a time. */
const BATCH = { ticks: 64, changes: 5_000 } as const;
/**
 * A tick says how many changes it has, not from how many writes they were folded: after an outage 64 of them may take longer
 * to make again than the peer waits for an answer (2 s), and it would ask for the same ones for ever. So reads begin small.
 */
const FIRST_READ_TICKS = 4;
const SLOW_READ_MS = 250;
/** Well below what a peer waits for an answer (2 s). */
const WORKING_MS = 1_000;
const EMPTY_READ_PAUSE_MS = 25;
/** A stream served from memory looks into the log again after this long: another instance may lead by now. */
const LEAD_LOST_MS = 1_000;

/** One stream to one peer. */
export class TickFeed {
  private readonly closed = new AbortController();
  private readonly deadline: number;
  private next: Seq;
  private ticksAtOnce = FIRST_READ_TICKS;

  constructor(
    private readonly asked: FeedRequest,
    private readonly res: ServerResponse,
    private readonly options: FeedOptions,
  ) {
    this.next = asked.from;
    this.deadline = asked.waitMs === null ? Infinity : Date.now() + asked.waitMs;
    res.once('close', () => this.end());
    res.once('error', () => this.end());
    if (res.destroyed) this.end();
  }

  end(): void {
    this.closed.abort();
  }

  async run(): Promise<void> {
    let batch = await this.read();
    if (batch.length > 0 && batch[0]!.seq > this.next && !this.res.headersSent) return this.answerGone();
    this.begin();
    while (!this.closed.signal.aborted) {
      for (const tick of batch) await this.send(tick);
      if (this.next > this.asked.to) break;
      if (batch.length === 0 && Date.now() >= this.deadline) break;
      if (batch.length === 0 && !(await this.awaitNext())) break;
      batch = await this.read();
      if (batch.length > 0 && batch[0]!.seq > this.next) break;
    }
    this.res.end();
  }

  private begin(): void {
    if (this.res.headersSent || this.closed.signal.aborted) return;
    this.res.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    this.res.flushHeaders();
  }

  private async read(): Promise<readonly FramedTick[]> {
    const recent = this.options.recent.from(this.asked.origin, this.next);
    if (recent.length > 0 || this.options.recent.leads(this.asked.origin, this.next)) return recent;
    const began = Date.now();
    const ticks = await this.readLog();
    const slow = Date.now() - began > SLOW_READ_MS;
    this.ticksAtOnce = slow ? Math.max(1, this.ticksAtOnce >> 1) : Math.min(BATCH.ticks, this.ticksAtOnce * 2);
    return ticks.map((tick) => ({ seq: tick.seq, frames: this.framesOf(tick) }));
  }

  /** Sealed as they are sent: a large tick is never there as messages as a whole. */
  private *framesOf(tick: Tick): Generator<Buffer> {
    for (const message of sealedParts(tick, this.options.envelopes)) yield frame(message);
  }

  /** Says that it works on it, when it takes long. */
  private async readLog(): Promise<readonly Tick[]> {
    const working = setInterval(() => {
      this.begin();
      void this.write(WORKING);
    }, this.options.lifeSignMs ?? WORKING_MS);
    try {
      return await this.options.reader.read(this.asked.origin, this.next, { ...BATCH, ticks: this.ticksAtOnce });
    } finally {
      clearInterval(working);
    }
  }

  private async send(tick: FramedTick): Promise<void> {
    if (tick.seq !== this.next || tick.seq > this.asked.to) return;
    for (const frame of tick.frames) await this.write(frame);
    this.next = (tick.seq + 1) as Seq;
  }

  /** False: the stream is over. Gives signs of life meanwhile. */
  private async awaitNext(): Promise<boolean> {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    this.closed.signal.addEventListener('abort', stop, { once: true });
    const lifeSign = setInterval(() => void this.write(SIGN_OF_LIFE), this.options.lifeSignMs ?? 2_000);
    const limit = this.deadline === Infinity ? undefined : setTimeout(stop, this.deadline - Date.now());
    try {
      const { recent } = this.options;
      await Promise.race([
        recent.waitFor(this.asked.origin, this.next, waiting.signal),
        recent.leads(this.asked.origin, this.next)
          ? pause(LEAD_LOST_MS, waiting.signal)
          : this.awaitLog(waiting.signal),
      ]);
    } finally {
      clearInterval(lifeSign);
      clearTimeout(limit);
      this.closed.signal.removeEventListener('abort', stop);
      stop();
    }
    return !this.closed.signal.aborted;
  }

  /** The log's hints may be about any origin, and come often: an empty read is not repeated at once. */
  private async awaitLog(signal: AbortSignal): Promise<void> {
    const hint = this.options.reader.waitFor(this.asked.origin, this.next, signal);
    await Promise.all([hint, pause(EMPTY_READ_PAUSE_MS, signal)]);
  }

  /** Resolves once the peer may be sent more. */
  private async write(bytes: Buffer): Promise<void> {
    if (this.closed.signal.aborted || this.res.write(bytes)) return;
    const stalled = setTimeout(() => this.res.destroy(), this.options.drainTimeoutMs ?? 60_000);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.res.off('drain', done);
        this.closed.signal.removeEventListener('abort', done);
        resolve();
      };
      this.res.once('drain', done);
      this.closed.signal.addEventListener('abort', done, { once: true });
    });
    clearTimeout(stalled);
  }

  private answerGone(): void {
    const detail = `tick ${this.next} of ${this.asked.origin} has left the log here`;
    sendJson(this.res, 410, problemBody({ status: 410, code: 'tick_gone', title: 'No longer kept', detail }));
  }
}
