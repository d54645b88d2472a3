import { randomUUID } from 'node:crypto';
import type { WebhookDesk } from '@meridian/api';
import type { RegionConfig } from '@meridian/config';
import type { TestMessage, Webhook as Shown } from '@meridian/contract';
import type { ConflictReader, Timers, WebhookState, WebhookStore } from '@meridian/core';
import { keyOf, post, type Webhook, WebhookSender } from '@meridian/webhooks';
import type { Logger } from 'pino';
import { messagesOf } from './conflict-message.js';
import type { WebhookMetrics } from './webhook-metrics.js';

type Configured = Pick<RegionConfig, 'cluster' | 'region' | 'webhooks'>;

/** The webhooks of the configuration: the instance that leads tells them, and any instance says how it goes. */
export class RegionWebhooks implements WebhookDesk {
  private readonly hooks: ReadonlyMap<string, Webhook>;

  constructor(
    private readonly config: Configured,
    private readonly store: WebhookStore,
    private readonly conflicts: Pick<ConflictReader, 'secrets'>,
    private readonly metrics: WebhookMetrics,
    private readonly log: Logger,
  ) {
    this.hooks = new Map(
      Object.entries(config.webhooks).map(([name, { url, secret, giveUpHours }]) => [
        name,
        { name, url, secrets: secret.map(keyOf), giveUpMs: giveUpHours * 3_600_000 },
      ]),
    );
  }

  /** Until the signal aborts; what is under way then is told again by whoever leads next. */
  async tell(timers: Timers, signal: AbortSignal): Promise<void> {
    const senders = [...this.hooks.values()].map((hook) => this.sender(hook, timers));
    await this.configure(timers, signal);
    await Promise.all(senders.map((sender) => sender.run(signal)));
  }

  async list(): Promise<readonly Shown[]> {
    const states = new Map((await this.store.states()).map((state) => [state.name, state]));
    return Object.entries(this.config.webhooks).map(([name, { url, events, tables }]) => {
      const state = states.get(name) ?? { ...NOT_TOLD_YET, name };
      const { waiting, oldestWaiting, failed, toldAt } = state;
      return {
        ...{ name, to: new URL(url).origin, events: [...events], ...standingOf(state) },
        tables: tables === null ? null : tables.map((t) => `${t.schema}.${t.name}`),
        ...{ waiting, oldestWaiting, failed, toldAt },
      };
    });
  }

  async test(name: string): ReturnType<WebhookDesk['test']> {
    const hook = this.hooks.get(name);
    if (hook === undefined) return null;
    const { cluster, region } = this.config;
    const timestamp = new Date().toISOString();
    const body = JSON.stringify({
      ...{ type: 'webhook.test', timestamp, cluster, region, data: { name } },
    } satisfies TestMessage);
    const posted = await post(hook, { id: randomUUID(), body }, new AbortController().signal);
    if (posted.kind === 'told') return { told: true, status: posted.status, detail: 'it took the message' };
    return { told: false, status: posted.status, detail: posted.error };
  }

  async resume(name: string): ReturnType<WebhookDesk['resume']> {
    return this.hooks.has(name) ? { waiting: await this.store.resume(name) } : null;
  }

  private async configure(timers: Timers, signal: AbortSignal): Promise<void> {
    const subscriptions = Object.entries(this.config.webhooks).map(([name, { url, events, tables }]) => ({
      ...{ name, url, events, tables },
    }));
    while (!signal.aborted) {
      try {
        return await this.store.configure(subscriptions);
      } catch (error) {
        this.log.warn({ err: error }, 'the webhooks could not be set up, and it is tried again');
        await timers.sleep(RETRY_MS, signal);
      }
    }
  }

  private sender(hook: Webhook, timers: Timers): WebhookSender {
    const { store, metrics, log } = this;
    return new WebhookSender(hook, {
      ...{ store, timers, random: Math.random },
      bodiesOf: (deliveries) => messagesOf(deliveries, this.config, this.conflicts),
      events: {
        attempted: (name, outcome) => metrics.attempted(name, outcome),
        away: (name, error) => log.warn({ webhook: name }, `the webhook ${name} takes nothing, and is tried again: ${error}`),
        back: (name) => log.info({ webhook: name }, `the webhook ${name} takes what it is told again`),
        gaveUp: (name, count) =>
          log.error({ webhook: name, count }, `the webhook ${name} could not be told of ${count} events: given up`),
        stopped: (name, why) => log.error({ webhook: name }, `the webhook ${name} is told nothing any more: ${why}`),
        failed: (name, error) => log.warn({ webhook: name, err: error }, 'telling a webhook failed, and is tried again'),
      },
    });
  }
}

const RETRY_MS = 1_000;

/** Before an instance that leads has begun. */
const NOT_TOLD_YET = { waiting: 0, oldestWaiting: null, failed: 0, toldAt: null, lastError: null, stopped: null };

function standingOf({ name, stopped, failed, lastError }: WebhookState): Pick<Shown, 'state' | 'detail'> {
  const resume = `POST /v1/webhooks/${name}/resume`;
  if (stopped !== null) return { state: 'stopped', detail: `${stopped}; when it is to be told again: ${resume}` };
  if (failed > 0) return { state: 'failing', detail: `${failed} were given up (${lastError}); to try them again: ${resume}` };
  return lastError === null
    ? { state: 'telling', detail: null }
    : { state: 'failing', detail: `${lastError}; it is tried again by itself` };
}
