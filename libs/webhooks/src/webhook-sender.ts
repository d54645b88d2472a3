import type { Cancellation, Delivery, Settled, Timers, WebhookStore } from '@meridian/core';
import { type Message, type Posted, post } from './post.js';
import { deliveryDelayMs, receiverDelayMs } from './retry-delay.js';
import type { Webhook } from './webhook.js';

/** Held in memory at a time; a record of a hot row may weigh some hundred KB. */
const BATCH = 32;
/** Requests at a time. */
const AT_ONCE = 8;
/** How soon something new is noticed. */
const LOOK_MS = 500;

export interface SenderParts {
  readonly store: WebhookStore;
  /** What the receivers are sent, by delivery; null: there is nothing left to tell. */
  readonly bodiesOf: (deliveries: readonly Delivery[]) => Promise<readonly (string | null)[]>;
  readonly timers: Timers;
  readonly random: () => number;
  readonly events: SenderEvents;
}

export interface SenderEvents {
  attempted(hook: string, outcome: Posted['kind']): void;
  /** The receiver takes nothing, since this attempt. */
  away(hook: string, error: string): void;
  back(hook: string): void;
  gaveUp(hook: string, count: number): void;
  stopped(hook: string, why: string): void;
  /** The database failed us; it is tried again. */
  failed(hook: string, error: unknown): void;
}

/** Tells one receiver, batch by batch, what it is to be told. While it takes nothing, one delivery is tried now and then. */
export class WebhookSender {
  /** Batches in a row of which it took nothing. */
  private failures = 0;

  constructor(
    private readonly hook: Webhook,
    private readonly parts: SenderParts,
  ) {}

  async run(signal: AbortSignal & Cancellation): Promise<void> {
    const { timers, events } = this.parts;
    while (!signal.aborted) {
      let waitMs = LOOK_MS;
      try {
        waitMs = await this.round(signal);
      } catch (error) {
        events.failed(this.hook.name, error);
      }
      if (waitMs > 0) await timers.sleep(waitMs, signal);
    }
  }

  /** Resolves to how long to wait before the next one. */
  private async round(signal: AbortSignal): Promise<number> {
    const { store, bodiesOf, random } = this.parts;
    const due = await store.due(this.hook.name, this.failures > 0 ? 1 : BATCH);
    if (due.length === 0) return LOOK_MS;
    const bodies = await bodiesOf(due);
    const attempts = await this.attempt(due, bodies, signal);
    if (signal.aborted) await this.settle(attempts.filter(({ posted }) => posted?.kind === 'told'));
    else await this.settle(attempts);
    const posted = attempts.flatMap((a) => (a.posted === null ? [] : [a.posted]));
    this.noteReceiver(posted);
    const notBefore = Math.max(0, ...posted.map((p) => (p.kind === 'refused' ? p.notBeforeMs : 0)));
    return Math.max(notBefore, this.failures === 0 ? 0 : receiverDelayMs(this.failures - 1, random));
  }

  private async attempt(
    due: readonly Delivery[],
    bodies: readonly (string | null)[],
    signal: AbortSignal,
  ): Promise<readonly Attempted[]> {
    const attempts: Attempted[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let i = next++; i < due.length && !signal.aborted; i = next++)
        attempts.push(await this.one(due[i]!, bodies[i]!, signal));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return attempts;
  }

  private async one(delivery: Delivery, body: string | null, signal: AbortSignal): Promise<Attempted> {
    if (body === null) return { delivery, posted: null };
    const message: Message = { id: delivery.id, body };
    const posted = await post(this.hook, message, signal);
    if (!signal.aborted) this.parts.events.attempted(this.hook.name, posted.kind);
    return { delivery, posted };
  }

  private async settle(attempts: readonly Attempted[]): Promise<void> {
    if (attempts.length === 0) return;
    const { store, events } = this.parts;
    const settled = attempts.map((a) => this.settledOf(a));
    const gone = attempts.find(({ posted }) => posted?.kind === 'gone')?.posted;
    if (gone?.kind === 'gone') {
      await store.stop(this.hook.name, gone.error);
      events.stopped(this.hook.name, gone.error);
    }
    const given = await store.settle(this.hook.name, settled, this.hook.giveUpMs);
    if (given > 0) events.gaveUp(this.hook.name, given);
  }

  private settledOf({ delivery: { id, attempts }, posted }: Attempted): Settled {
    if (posted === null) return { id, kind: 'dropped' };
    if (posted.kind === 'told') return { id, kind: 'told' };
    const notBefore = posted.kind === 'refused' ? posted.notBeforeMs : 0;
    const againMs = Math.max(notBefore, deliveryDelayMs(attempts, this.parts.random));
    return { id, kind: 'refused', error: posted.error, againMs };
  }

  private noteReceiver(posted: readonly Posted[]): void {
    const { events } = this.parts;
    const error = posted.find((p) => p.kind !== 'told');
    if (posted.some((p) => p.kind === 'told')) {
      if (this.failures > 0) events.back(this.hook.name);
      this.failures = 0;
    } else if (error !== undefined && error.kind === 'refused') {
      if (this.failures++ === 0) events.away(this.hook.name, error.error);
    }
  }
}

interface Attempted {
  readonly delivery: Delivery;
  /** Null: there was nothing left to tell. */
  readonly posted: Posted | null;
}
