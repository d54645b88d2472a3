import type { OriginPosition, RegionId, Tick } from '@meridian/core';
import { Registry } from 'prom-client';
import { KnownCluster } from './cluster-status.js';
import { Observations } from './observations.js';
import { ReplicationMetrics } from './replication-metrics.js';

const EU = 'eu' as RegionId;
const NOW = Date.UTC(2026, 10, 21);
const VIEW = {
  region: 'us' as RegionId,
  address: 'http://127.0.0.1:7001',
  peers: { eu: 'http://127.0.0.1:7002' },
  heartbeatMs: 1_000,
  maxClockSkewMs: 5_000,
};

let now: number;
let observations: Observations;
let cluster: KnownCluster;
beforeEach(() => {
  now = NOW;
  observations = new Observations(() => now);
  const origins = async (): Promise<OriginPosition[]> => [];
  cluster = new KnownCluster(VIEW, { origins }, observations, () => now);
});

const tick = (wallMs: number, changes = 0): Tick =>
  ({
    origin: EU,
    seq: 1,
    wall: BigInt(wallMs) * 1_000n,
    changes: Array.from({ length: changes }, () => ({})),
  }) as never;
const arrives = (wallMs: number, changes = 0): void =>
  observations.received({ tick: tick(wallMs, changes), position: null });
const health = async () => (await cluster.regions()).find(({ region }) => region === EU);

describe('the cluster as a region knows it', () => {
  it('flags a region whose clock is further ahead than the bound, and says what to do', async () => {
    arrives(NOW + 4_900);
    expect(await health()).toMatchObject({ health: 'healthy', clockOffsetMs: 4_900 });
    arrives(NOW + 9_000);
    expect(await health()).toMatchObject({ health: 'lagging', clockOffsetMs: 9_000 });
    expect((await health())!.detail).toContain('its clock is 9000 ms ahead');
  });

  it('tells a region that nothing was heard of, one that is late and one that is gone', async () => {
    expect(await health()).toMatchObject({ health: 'lagging', detail: 'nothing heard of it yet' });
    observations.interrupted(EU, new Error('ECONNREFUSED'));
    expect(await health()).toMatchObject({ health: 'unreachable', detail: 'nothing heard of it yet: ECONNREFUSED' });
    arrives(NOW);
    now = NOW + 6_000;
    expect(await health()).toMatchObject({ health: 'lagging' });
    now = NOW + 16_000;
    observations.interrupted(EU, new Error('ECONNREFUSED'));
    expect(await health()).toMatchObject({
      health: 'unreachable',
      detail: 'nothing heard of it for 16 s: ECONNREFUSED',
    });
  });

  it('has its alarms in the metrics', async () => {
    const registry = new Registry();
    const metrics = new ReplicationMetrics(registry, observations, [EU, 'ap' as RegionId], () => now);
    arrives(NOW + 2_000, 3);
    now = NOW + 500;
    observations.halted = 'the database is away';
    metrics.cut(tick(NOW, 2));
    metrics.applied([tick(NOW, 4)], 1);
    metrics.retried('lock timeout');
    const lines = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    expect(lines).toEqual(
      expect.arrayContaining([
        'meridian_ticks_cut_total 1',
        'meridian_changes_cut_total 2',
        'meridian_changes_applied_total{origin="eu"} 4',
        'meridian_conflicts_recorded_total 1',
        'meridian_apply_retries_total{because="lock timeout"} 1',
        'meridian_waiting_changes{origin="eu"} 3',
        'meridian_silence_seconds{origin="eu"} 0.5',
        'meridian_clock_offset_seconds{origin="eu"} 2',
        'meridian_apply_halted 1',
        'meridian_tables_waiting 0',
      ]),
    );
    expect(lines.filter((line) => line.includes('"ap"'))).toEqual([]);
  });
});
