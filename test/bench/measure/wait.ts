import { setTimeout as pause } from 'node:timers/promises';

/** True as soon as the condition holds, false when it has not within the time. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  timeoutMs: number,
  everyMs: number,
): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > end) return false;
    await pause(everyMs);
  }
}
