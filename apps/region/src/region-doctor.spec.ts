import type { RegionStatus, Webhook } from '@meridian/contract';
import type { Blocker, Examination } from '@meridian/postgres';
import { RegionDoctor } from './region-doctor.js';

const region = (
  name: string,
  health: RegionStatus['health'],
  detail: string | null = null,
  clockOffsetMs = 0,
): RegionStatus => ({
  ...{ region: name, self: name === 'us', health, detail, address: `http://${name}`, seq: 1, applied: {} },
  ...{ lag: null, clockOffsetMs, lastSeenAt: null },
});

interface Seen {
  readonly database?: Partial<Examination>;
  readonly regions?: readonly RegionStatus[];
  readonly blockers?: readonly Blocker[];
  readonly leads?: boolean;
  readonly webhooks?: readonly Webhook[];
}

const examine = ({ database = {}, regions = [region('us', 'healthy')], blockers = [], leads = true, webhooks = [] }: Seen) =>
  new RegionDoctor({
    database: { examine: () => Promise.resolve({ findings: [], tables: [], ...database }) },
    cluster: { regions: () => Promise.resolve(regions) },
    apply: { blockers: () => Promise.resolve(blockers) },
    leads: () => leads,
    tables: { check: () => Promise.resolve(null) },
    maxClockSkewMs: 5_000,
    webhooks: { list: () => Promise.resolve(webhooks) },
  }).examine();

describe('the doctor of a region', () => {
  it('adds what the pipeline has seen of peers, of itself, and of those who hold apply up', async () => {
    const regions = [
      region('us', 'halted', 'a tick names another predecessor'),
      region('eu', 'unreachable', 'nothing heard of it for 20 s'),
      region('ap', 'lagging', 'its last tick came 7 s ago'),
      region('sa', 'healthy'),
    ];
    const blockers: Blocker[] = [{ kind: 'prepared', gid: 'gone', owner: 'ann', heldMs: 4_000 }];
    const { findings } = await examine({ regions, blockers });
    expect(findings.map((f) => [f.severity, f.code, f.about])).toEqual([
      ['error', 'apply_halted', 'region us'],
      ['error', 'region_unreachable', 'region eu'],
      ['warning', 'region_lags', 'region ap'],
      ['error', 'apply_held_up', 'transaction gone'],
    ]);
    expect(findings[1]!.detail).toBe('http://eu: nothing heard of it for 20 s');
  });

  it('tells of clocks that are off, and not twice', async () => {
    const regions = [
      region('ap', 'lagging', 'its clock is 9000 ms ahead', 9_000),
      region('sa', 'healthy', null, -6_000),
      region('eu', 'healthy', null, 4_000),
    ];
    const { findings } = await examine({ regions });
    expect(findings.map((f) => [f.severity, f.code, f.about, f.detail])).toEqual([
      ['warning', 'clock_offset', 'region ap', 'its clock is 9000 ms ahead'],
      ['warning', 'clock_offset', 'region sa', 'its clock is 6000 ms behind ours, or its ticks take as long to arrive'],
    ]);
  });

  it('says of an instance that does not lead that it knows nothing of peers, rather than call them unreachable', async () => {
    const { findings } = await examine({ regions: [region('eu', 'unreachable')], leads: false });
    expect(findings.map((f) => [f.severity, f.code])).toEqual([['info', 'not_leading']]);
  });

  it('asks a database that is away for nothing more', async () => {
    const away = {
      severity: 'error',
      code: 'database_unavailable',
      about: 'server',
      detail: 'gone',
      cure: null,
    } as const;
    const { findings } = await examine({ database: { findings: [away] }, regions: [region('eu', 'unreachable')] });
    expect(findings).toEqual([away]);
  });

  it('tells of webhooks that are stopped, that gave something up, and that are behind for long', async () => {
    const webhook = (name: string, more: Partial<Webhook>): Webhook => ({
      ...{ name, to: 'https://hooks.shop', events: ['conflict.opened'], tables: null, state: 'failing', detail: 'it answered 500' },
      ...{ waiting: 3, oldestWaiting: new Date(Date.now() - 600_000).toISOString(), failed: 0, toldAt: null, ...more },
    });
    const webhooks = [
      webhook('a', { state: 'stopped', detail: 'it answered 410' }),
      webhook('b', { failed: 2 }),
      webhook('c', {}),
      webhook('d', { oldestWaiting: new Date().toISOString() }),
      webhook('e', { state: 'telling', detail: null }),
    ];
    const { findings } = await examine({ webhooks });
    expect(findings.map(({ severity, code, about }) => `${severity} ${code} ${about}`)).toEqual([
      'error webhook_stopped webhook a',
      'error webhook_failed webhook b',
      'warning webhook_behind webhook c',
    ]);
    expect(findings[2]!.detail).toBe('https://hooks.shop: it answered 500 (3 wait, for 10 minutes)');
  });
});
