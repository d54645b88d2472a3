import { CONFLICT_EVENTS } from '@meridian/core';
import { z } from 'zod';
import { Conflict } from './conflicts.js';

export const ConflictMessage = z
  .object({
    type: z.enum(CONFLICT_EVENTS),
    timestamp: z.iso.datetime().describe('When it came to be; the attempt to tell it has a time of its own, in a header'),
    cluster: z.string(),
    region: z.string().describe('The region that tells: where the overwritten change was written'),
    data: Conflict.describe('As it is when it is sent; values of secret columns read [redacted]'),
  })
  .meta({ id: 'ConflictMessage', description: 'What a webhook is sent, by Standard Webhooks' });
export type ConflictMessage = z.infer<typeof ConflictMessage>;

/** What `POST /v1/webhooks/{name}/test` sends. */
export const TestMessage = z
  .object({
    type: z.literal('webhook.test'),
    timestamp: z.iso.datetime(),
    cluster: z.string(),
    region: z.string(),
    data: z.object({ name: z.string() }),
  })
  .meta({ id: 'TestMessage' });
export type TestMessage = z.infer<typeof TestMessage>;

export const Webhook = z
  .object({
    name: z.string(),
    to: z.string().describe('Scheme and host of its address; the rest may be a secret'),
    events: z.array(z.enum(CONFLICT_EVENTS)),
    tables: z.array(z.string()).nullable().describe('null: all'),
    state: z
      .enum(['telling', 'failing', 'stopped'])
      .describe('failing: something waits that was refused, or was given up; stopped: its receiver answered 410'),
    detail: z.string().nullable().describe('Why, and what to do'),
    waiting: z.int().describe('Still to be told'),
    oldestWaiting: z.string().nullable(),
    failed: z.int().describe('Given up; POST /v1/webhooks/{name}/resume tries them again'),
    toldAt: z.string().nullable().describe('When its receiver took something last'),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof Webhook>;

export const Webhooks = z.object({ items: z.array(Webhook), next: z.null() }).meta({ id: 'Webhooks' });
export type Webhooks = z.infer<typeof Webhooks>;

export const WebhookTrial = z
  .object({
    told: z.boolean(),
    status: z.int().nullable().describe('What the receiver answered; null: nothing'),
    detail: z.string(),
  })
  .meta({ id: 'WebhookTrial', description: 'What became of a message of type webhook.test' });
export type WebhookTrial = z.infer<typeof WebhookTrial>;

export const WebhookResumed = z
  .object({ waiting: z.int().describe('What it is told now') })
  .meta({ id: 'WebhookResumed' });
export type WebhookResumed = z.infer<typeof WebhookResumed>;
