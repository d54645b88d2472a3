import { existsSync } from 'node:fs';

const LIBRARIES = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/faketime/libfaketime.so.1'];

/** The environment in which a process sees a wall clock that is wrong by this much, and a monotonic one that is right. */
export function clockEnvironment(seconds: number): Record<string, string> {
  if (seconds === 0) return {};
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined) {
    throw new Error('a wrong clock needs libfaketime: apt-get install faketime');
  }
  return { LD_PRELOAD: library, FAKETIME: `${seconds > 0 ? '+' : ''}${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
