import type { WebhookStore } from '@meridian/core';
import type { Posted } from '@meridian/webhooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Attempts are of the instance that leads; what waits is read from the database when it is asked for. */
export class WebhookMetrics {
  private readonly attempts: Counter<'webhook' | 'outcome'>;

  constructor(registry: Registry, store: Pick<WebhookStore, 'states'>) {
    const registers = [registry];
    this.attempts = new Counter({
      ...{ name: 'meridian_webhook_attempts_total', help: 'Messages sent, by what became of them', registers },
      labelNames: ['webhook', 'outcome'],
    });
    new Gauge({
      ...{ name: 'meridian_webhook_deliveries', help: 'What a webhook is still to be told, or could not be', registers },
      labelNames: ['webhook', 'state'],
      async collect() {
        this.reset();
        // A database that is away is told of by other metrics.
        for (const { name, waiting, failed } of await store.states().catch(() => [])) {
          this.set({ webhook: name, state: 'waiting' }, waiting);
          this.set({ webhook: name, state: 'failed' }, failed);
        }
      },
    });
  }

  attempted(webhook: string, outcome: Posted['kind']): void {
    this.attempts.inc({ webhook, outcome });
  }
}
