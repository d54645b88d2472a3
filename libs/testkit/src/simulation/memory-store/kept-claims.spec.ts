import { type RegionId, stableCut, type Tick, type Values } from '@meridian/core';
import { Applier, Relay, Sweep } from '@meridian/replication';
import { joinedVersions } from '../merge-functions.js';
import { optionsOf } from '../options.js';
import { USERS } from '../people.js';
import { INITIAL_ROWS, specsOf } from '../schema.js';
import { type Agent, Scheduler } from '../scheduler.js';
import { digest } from '../service.js';
import { keyOf, LocalTransaction, MemoryApplyStore, MemoryDatabase, MemoryTickStore } from './index.js';

const REGIONS = ['ap', 'eu', 'us'] as RegionId[];
const OPTIONS = optionsOf(1, {
  ...{ stallChance: 0, delete: 'update-wins', order: { kind: 'hlc' } },
  keys: { email: 'park', nick: 'park', boss: 'restore', team: 'restore', lead: 'restore' },
});
/** 2026-01-01, in microseconds. */
const EPOCH = 1_767_225_600_000_000;

const nothing = (): void => undefined;
const EVENTS = { applied: nothing, passed: nothing, retried: nothing, refused: nothing, resumed: nothing };

describe('claims of rows that a deleted one contends with', () => {
  let scheduler: Scheduler;
  beforeEach(() => {
    scheduler = new Scheduler(1, OPTIONS);
  });

  /** What is done in one region, by hand. */
  class Region {
    readonly db: MemoryDatabase;
    private readonly agent: Agent;
    private readonly ticks: MemoryTickStore;
    private readonly relay: Relay;
    private readonly store: MemoryApplyStore;

    constructor(region: RegionId, ahead: number) {
      const specs = specsOf(OPTIONS);
      const wall = () => EPOCH + ahead + scheduler.now;
      this.db = new MemoryDatabase(region, REGIONS, specs, scheduler, wall, 1, new Map());
      for (const [table, rows] of INITIAL_ROWS) this.db.seed(table, rows);
      this.agent = scheduler.agent(region);
      this.ticks = new MemoryTickStore(this.db, this.agent);
      this.relay = new Relay(this.ticks, digest);
      this.store = new MemoryApplyStore(this.db, this.agent);
    }

    async write(statement: (tx: LocalTransaction) => Promise<unknown>): Promise<void> {
      const tx = new LocalTransaction(this.db, this.agent, 'somebody');
      expect(await statement(tx)).toBe('done');
      await tx.commit();
    }

    async cut(): Promise<Tick> {
      return (await this.relay.cut(true))!;
    }

    async apply(...ticks: readonly Tick[]): Promise<void> {
      for (const tick of ticks)
        expect(await new Applier(this.store, digest, joinedVersions, EVENTS).apply([tick])).toBe('applied');
    }

    /** As the retention loop does. */
    async forget(): Promise<number> {
      const cut = stableCut(REGIONS, await this.ticks.lastDeps());
      await new Sweep(this.store, digest).run(cut);
      return this.ticks.dropBelow(cut);
    }

    get shown(): (string | null)[] {
      return [...this.db.rows(USERS).values()].map(({ values }) => values['id']!).sort();
    }
    get parked(): (string | null)[] {
      return this.db.allParked().map(({ values }) => values['id']!);
    }
  }

  const user = (id: string, keys: Values) => ({
    id,
    email: null,
    nick: null,
    boss: null,
    team: null,
    v: null,
    ...keys,
  });
  const ref = (id: string) => ({ table: USERS, key: keyOf(specsOf(OPTIONS).get(USERS)!, { id }) });
  const change = (tx: LocalTransaction, id: string) => tx.update(ref(id), (row) => ({ ...row, v: 'still here' }));

  async function running(test: () => Promise<void>): Promise<void> {
    scheduler.spawn(scheduler.agent('test'), async () => {
      await test();
      scheduler.stop();
    });
    await scheduler.run();
    expect(scheduler.failure).toBeNull();
  }

  it('outlast the log until all know of the delete: the row comes back with its earlier claim', async () => {
    const [ap, eu, us] = [new Region(REGIONS[0]!, 1_000_000), new Region(REGIONS[1]!, 0), new Region(REGIONS[2]!, 0)];
    await running(async () => {
      await eu.write((tx) => tx.insert(USERS, user('4', { email: 'q' })));
      const earlier = await eu.cut();
      await us.apply(earlier);
      await us.write((tx) => tx.delete(ref('4')));
      await ap.write((tx) => tx.insert(USERS, user('2', { email: 'q' })));
      const later = await ap.cut();
      await us.apply(later);
      await ap.apply(earlier);
      await eu.apply(later);
      // All know of both claims, and us does not know that eu still writes to its row.
      await us.apply(await eu.cut(), await ap.cut());
      expect(await us.forget()).toBeGreaterThan(0);
      await eu.write((tx) => change(tx, '4'));
      await us.apply(await eu.cut());
      await eu.apply(await us.cut());
    });
    for (const { shown, parked } of [eu, us]) expect({ shown, parked }).toEqual({ shown: ['4'], parked: ['2'] });
  });

  it('come back with the row, which shows only where the other one is parked for another key', async () => {
    const [ap, us] = [new Region(REGIONS[0]!, 1_000_000), new Region(REGIONS[2]!, 0)];
    const eu = new Region(REGIONS[1]!, 2_000_000);
    await running(async () => {
      await us.write((tx) => tx.insert(USERS, user('5', { nick: 'x' })));
      const first = await us.cut();
      await ap.write((tx) => tx.insert(USERS, user('2', { email: 'q', nick: 'x' })));
      const second = await ap.cut();
      await eu.write((tx) => tx.insert(USERS, user('4', { email: 'q' })));
      const third = await eu.cut();
      await us.apply(third);
      await us.write((tx) => tx.delete(ref('4')));
      await us.write((tx) => tx.delete(ref('5')));
      await us.apply(second);
      await ap.apply(first, third);
      await eu.apply(first, second);
      expect(eu.shown).toEqual(['4', '5']);
      await us.apply(await eu.cut(), await ap.cut());
      expect(await us.forget()).toBeGreaterThan(0);
      await eu.write((tx) => change(tx, '4'));
      await us.apply(await eu.cut());
      await eu.apply(await us.cut());
      await eu.forget();
    });
    for (const { shown, parked } of [eu, us]) expect({ shown, parked }).toEqual({ shown: ['2'], parked: ['4'] });
  });
});
