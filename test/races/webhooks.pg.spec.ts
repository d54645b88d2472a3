import type { RegionConfig } from '@meridian/config';
import type { ConflictEvent, WebhookStore } from '@meridian/core';
import { createRowsPool, PgConflictDesk, PgConflictReader, PgWebhookStore } from '@meridian/postgres';
import type { Pool } from 'pg';
import pino from 'pino';
import { Registry } from 'prom-client';
import { RegionWebhooks } from '../../apps/region/src/webhooks/region-webhooks.js';
import { WebhookMetrics } from '../../apps/region/src/webhooks/webhook-metrics.js';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';
import { type Received, WebhookReceiver } from './webhook-receiver.js';

const EVENTS: ConflictEvent[] = ['conflict.opened', 'conflict.withdrawn', 'conflict.resolved', 'conflict.reopened'];

/** Waiting is as long as it is, but never worth more than this here. */
const IMPATIENT = {
  now: Date.now,
  sleep: (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(millis, 10))),
};

type Hooks = RegionConfig['webhooks'];
const hookTo = (receiver: WebhookReceiver, more: Partial<Hooks[string]> = {}): Hooks[string] => ({
  ...{ url: receiver.url, secret: [receiver.secret], events: EVENTS, tables: null, giveUpHours: 72, ...more },
});

/** A region's webhooks, as the service that leads tells them. */
class Telling {
  private readonly abort = new AbortController();
  readonly webhooks: RegionWebhooks;
  private readonly running: Promise<void>;

  constructor(region: RealRegion, pool: Pool, webhooks: Hooks, store: WebhookStore = new PgWebhookStore(pool)) {
    const config = { cluster: 'races', region: region.name, webhooks };
    const metrics = new WebhookMetrics(new Registry(), store);
    const log = pino({ level: 'silent' });
    this.webhooks = new RegionWebhooks(config, store, new PgConflictReader(pool), metrics, log);
    this.running = this.webhooks.tell(IMPATIENT, this.abort.signal);
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
  }

  async untilIdle(): Promise<void> {
    await until(async () => (await this.webhooks.list()).every(({ waiting }) => waiting === 0));
  }
}

const DEADLINE_MS = 20_000;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS / 1_000} s: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('webhooks', () => {
  let regions: RealRegions;
  const pools = new Map<RealRegion, Pool>();
  const open: { close(): Promise<void> }[] = [];
  useRegions(['eu', 'us'], (opened) => {
    regions = opened;
    for (const region of opened.all)
      pools.set(region, createRowsPool({ url: region.url, max: 6, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 }));
  });
  afterAll(() => Promise.all([...pools.values()].map((pool) => pool.end())));
  afterEach(async () => {
    for (const { close } of open.splice(0).reverse()) await close();
  });

  const eu = (): RealRegion => regions.named('eu');
  const receiver = async (): Promise<WebhookReceiver> => {
    const made = await WebhookReceiver.open();
    open.push({ close: () => made.close() });
    return made;
  };
  /** From when its webhooks are known, conflicts are told of. */
  const telling = async (region: RealRegion, hooks: Hooks, store?: WebhookStore): Promise<Telling> => {
    const made = new Telling(region, pools.get(region)!, hooks, store);
    open.push({ close: () => made.stop() });
    const names = `SELECT name FROM meridian.webhook`;
    await until(async () => (await region.read(names)).join() === Object.keys(hooks).sort().join());
    return made;
  };
  /** `count` rows of eu's are overwritten by us's. */
  const conflicts = async (count = 1, policy: object = {}): Promise<string> => {
    const t = await regions.items(policy);
    await eu().user.query(`INSERT INTO ${t} SELECT g, '-', '-', 0 FROM generate_series(1, ${count}) g`);
    await regions.exchange();
    await eu().user.query(`UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await regions.named('us').user.query(`UPDATE ${t} SET x = 'us'`);
    await regions.exchange();
    return `public.${t}`;
  };
  const typesOf = (taken: readonly Received[]) => taken.map(({ type, region }) => `${type} by ${region}`);
  /** As if the time until the next attempts had passed. */
  const allDue = (region: RealRegion) => region.user.query('UPDATE meridian.webhook_delivery SET next_at = now()');

  it("tell once for the cluster of what becomes of a conflict, without secret columns' values", async () => {
    const inbox = await receiver();
    for (const region of regions.all) await telling(region, { inbox: hookTo(inbox) });
    const table = await conflicts(1, { secret: ['x'] });
    await until(() => inbox.taken.length > 0);
    const { data } = inbox.taken[0]!;
    expect(data).toMatchObject({ table, status: 'open' });
    expect(data.versions.map((v) => v.values)).toEqual([{ x: '[redacted]' }, { x: '[redacted]' }]);
    // Decided elsewhere, told by the record's own region.
    const desk = new PgConflictDesk(pools.get(regions.named('us'))!, regions.named('us').name);
    await desk.resolve(data.id, { choice: { kind: 'accept' }, note: null }, { actor: 'ann', version: null });
    await regions.exchange();
    await until(() => inbox.taken.length > 1);
    await desk.reopen(data.id, null, { actor: 'ann', version: null });
    await regions.exchange();
    await until(() => inbox.taken.length > 2);
    expect(typesOf(inbox.taken)).toEqual([
      'conflict.opened by eu',
      'conflict.resolved by eu',
      'conflict.reopened by eu',
    ]);
    expect(inbox.taken[1]!.data.status).toBe('resolved');
    expect(new Set(inbox.attempts).size).toBe(3);
  });

  it('tell what happened while the receiver was away, under the same ids, when it is back', async () => {
    const inbox = await receiver();
    inbox.answer = () => 503;
    const eus = await telling(eu(), { inbox: hookTo(inbox) });
    await conflicts(50);
    await until(() => inbox.attempts.length > 3);
    expect(await eus.webhooks.list()).toMatchObject([
      { state: 'failing', failed: 0, detail: expect.stringMatching(/503/) as string },
    ]);
    const before = new Set(inbox.attempts);
    inbox.answer = () => 200;
    await allDue(eu());
    await eus.untilIdle();
    expect(new Set(inbox.taken.map(({ data }) => data.id)).size).toBe(50);
    const ids = new Set(inbox.taken.map(({ id }) => id));
    expect([...before].filter((id) => !ids.has(id))).toEqual([]);
    expect(ids.size).toBe(50);
  });

  it('tell again, under the same id, what was sent when the service died', async () => {
    const inbox = await receiver();
    const store = new PgWebhookStore(pools.get(eu())!);
    const dying: WebhookStore = {
      configure: (hooks) => store.configure(hooks),
      due: (hook, limit) => store.due(hook, limit),
      settle: () => Promise.reject(new Error('killed here')),
      stop: (hook, why) => store.stop(hook, why),
      resume: (hook) => store.resume(hook),
      states: () => store.states(),
    };
    const first = await telling(eu(), { inbox: hookTo(inbox) }, dying);
    await conflicts(3);
    await until(() => inbox.taken.length >= 3);
    await first.stop();
    const again = await telling(eu(), { inbox: hookTo(inbox) });
    const had = inbox.taken.length;
    await again.untilIdle();
    expect(inbox.taken.length - had).toBe(3);
    expect(new Set(inbox.taken.map(({ id }) => id)).size).toBe(3);
  });

  it('are told nothing any more after 410, until they are resumed', async () => {
    const inbox = await receiver();
    inbox.answer = () => 410;
    const { webhooks } = await telling(eu(), { inbox: hookTo(inbox) });
    await conflicts(1);
    await until(async () => (await webhooks.list())[0]!.state === 'stopped');
    await conflicts(1);
    expect((await webhooks.list())[0]).toMatchObject({
      waiting: 1,
      detail: expect.stringMatching(/410.*resume/) as string,
    });
    inbox.answer = () => 200;
    expect(await webhooks.resume('inbox')).toEqual({ waiting: 1 });
    // The receiver has it before the sender has settled it.
    await until(async () => (await webhooks.list())[0]?.waiting === 0);
    expect(inbox.taken).toHaveLength(1);
    expect((await webhooks.list())[0]).toMatchObject({ state: 'telling' });
  });

  it('wait for no other: neither for one that is away nor for what one will not take', async () => {
    const [away, picky] = [await receiver(), await receiver()];
    away.answer = () => 500;
    let refused = '';
    picky.answer = ({ data }) => ((refused ||= data.id) === data.id ? 500 : 200);
    await telling(eu(), { away: hookTo(away), picky: hookTo(picky) });
    await conflicts(20);
    await until(() => picky.taken.length === 19);
    await until(() => away.attempts.length > 1);
    expect(away.taken).toEqual([]);
  });

  it('are given up after their time, told of as failed, and tried again on request', async () => {
    const inbox = await receiver();
    inbox.answer = () => 500;
    const { webhooks } = await telling(eu(), { inbox: hookTo(inbox, { giveUpHours: 1 }) });
    await conflicts(40);
    await until(() => inbox.attempts.length > 0);
    expect((await webhooks.list())[0]!.failed).toBe(0);
    await eu().user.query(`UPDATE meridian.webhook_delivery SET since = since - interval '2 hours'`);
    await allDue(eu());
    await until(async () => (await webhooks.list())[0]!.failed === 40);
    expect((await webhooks.list())[0]).toMatchObject({ state: 'failing', waiting: 0 });
    inbox.answer = () => 200;
    expect(await webhooks.resume('inbox')).toEqual({ waiting: 40 });
    await until(() => inbox.taken.length === 40);
  });

  it('are told of the tables and events that they want, and forgotten with their configuration', async () => {
    const inbox = await receiver();
    const other = await receiver();
    other.answer = () => 500;
    const mine = await regions.items();
    await telling(eu(), {
      inbox: hookTo(inbox, { tables: [{ schema: 'public', name: mine }] }),
      other: hookTo(other, { events: ['conflict.resolved'] }),
    });
    await conflicts(2);
    await eu().user.query(`INSERT INTO ${mine} VALUES (1, '-', '-', 0)`);
    await regions.exchange();
    await eu().user.query(`UPDATE ${mine} SET x = 'eu'`);
    nextMillisecond();
    await regions.named('us').user.query(`UPDATE ${mine} SET x = 'us'`);
    await regions.exchange();
    await until(() => inbox.taken.length > 0);
    expect(inbox.taken.map(({ data }) => data.table)).toEqual([`public.${mine}`]);
    expect(other.attempts).toEqual([]);
    const store = new PgWebhookStore(pools.get(eu())!);
    await store.configure([]);
    expect(await eu().read('SELECT count(*) FROM meridian.webhook_delivery')).toEqual(['0']);
  });

  it('answer a test message, and say what is wrong with a receiver', async () => {
    const inbox = await receiver();
    const wrong = hookTo(inbox, { secret: [`whsec_${Buffer.alloc(32).toString('base64')}`] });
    const { webhooks } = await telling(eu(), { inbox: hookTo(inbox), wrong });
    expect(await webhooks.test('inbox')).toMatchObject({ told: true, status: 200 });
    expect(inbox.taken).toMatchObject([{ type: 'webhook.test', data: { name: 'inbox' } }]);
    expect(await webhooks.test('wrong')).toEqual({ told: false, status: 401, detail: 'it answered 401' });
    expect(await webhooks.test('nobody')).toBeNull();
  });
});
