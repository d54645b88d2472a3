import { setTimeout as timeout } from 'node:timers/promises';
import type { Timers } from '@meridian/core';

export const systemTimers: Timers = {
  now: () => Date.now(),
  sleep: async (millis, signal) => {
    await timeout(millis, undefined, { signal: signal as AbortSignal, ref: true }).catch(() => undefined);
  },
};
