import type { ApplyStore, ApplyTransaction, Head, PolicyFunctions, RegionId, Tick } from '@meridian/core';
import { Applier } from './applier.js';

const EU = 'eu' as RegionId;
const TICK = { origin: EU, seq: 4, deps: {}, changes: [] } as unknown as Tick;

/** A region whose tables look wrong to a batch; how far eu's ticks are applied is what the test says. */
const applierAt = (seq: number): Applier => {
  const tx = {
    hold: () => Promise.reject(new Error('the row is not here')),
    rollback: () => Promise.resolve(),
  } as unknown as ApplyTransaction;
  const store = {
    heads: async () => new Map([[EU, { seq, digest: '', position: null } as Head]]),
    enrolments: async () => ({ tables: new Map(), ended: new Map() }),
    waitingTables: async () => new Set(),
    begin: async () => tx,
  } as unknown as ApplyStore;
  const silent = {
    retried: () => undefined,
    applied: () => undefined,
    passed: () => undefined,
    refused: () => undefined,
    resumed: () => undefined,
  };
  const none: PolicyFunctions = { run: () => Promise.resolve([]) };
  return new Applier(store, () => '', none, silent);
};

describe('what is found wrong while ticks are applied', () => {
  it('is said of ticks that are still to be applied', async () => {
    await expect(applierAt(3).apply([TICK])).rejects.toThrow('the row is not here');
  });

  it('says nothing when another applier has applied them meanwhile', async () => {
    expect(await applierAt(4).apply([TICK])).toBe('overtaken');
  });
});
