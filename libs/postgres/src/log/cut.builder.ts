import { foldChanges, type Tick, tickDigest } from '@meridian/core';
import type { TestRegion } from '../region.builder.js';
import { sha256 } from './digest.js';

/** Cuts a tick as the relay does; null when there is nothing to ship. */
export async function cutTick(region: TestRegion): Promise<Tick | null> {
  const open = await region.ticks.openCut();
  const changes = foldChanges(await open.changes(), open.folding);
  if (changes.length === 0) {
    await open.abandon();
    return null;
  }
  const content = { ...open.header, changes: changes.map((c) => ({ ...c, seq: open.header.seq })) };
  const tick: Tick = { ...content, digest: tickDigest(content, sha256) };
  await open.commit(tick);
  return tick;
}

export const keysOf = (tick: Tick | null): string[] => tick?.changes.map((c) => c.key) ?? [];
