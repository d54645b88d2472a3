import { createHash } from 'node:crypto';
import { setTimeout as timeout } from 'node:timers/promises';
import type { Digest, Timers } from '@meridian/core';

export const sha256: Digest = (text) => createHash('sha256').update(text).digest('hex');

export const systemTimers: Timers = {
  now: () => Date.now(),
  sleep: async (millis, signal) => {
    await timeout(millis, undefined, { signal: signal as AbortSignal, ref: true }).catch(() => undefined);
  },
};
