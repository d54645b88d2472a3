import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read } from './sources';

interface Situation {
  readonly number: string;
  readonly state: string;
  /** Files with the words of the test's name that are to be found in them. */
  readonly tests: readonly (readonly [path: string, words: string])[];
}

const LIST = read('docs/reliability.md');
const situations: Situation[] = [...LIST.matchAll(/^\| (\d+) \|.*\| \*\*([^*]+)\*\*(.*) \|$/gm)].map(
  ([, number, state, rest]) => ({
    number: number!,
    state: state!,
    tests: [...rest!.matchAll(/`([^`]+\.spec\.ts)` “([^”]+)”/g)].map(([, path, words]) => [path!, words!] as const),
  }),
);

describe('docs/reliability.md', () => {
  it('has each of the 115 situations once, in order', () => {
    expect(situations.map((s) => s.number)).toEqual(Array.from({ length: 115 }, (_, i) => `${i + 1}`));
  });

  it('gives each a state that it explains', () => {
    expect(situations.filter((s) => !['held', 'part', 'open', 'n/a'].includes(s.state))).toEqual([]);
  });

  it('names a test for all that is held', () => {
    expect(situations.filter((s) => s.state === 'held' && s.tests.length === 0)).toEqual([]);
  });

  it('names no test without words of its name, and none that does not exist', () => {
    const bare = [...LIST.matchAll(/^\| \d+ \|.*`[^`]+\.spec\.ts`(?! “[^”]+”).*$/gm)].map(([row]) => row);
    expect(bare).toEqual([]);
    const gone = situations
      .flatMap((s) => s.tests)
      .filter(([path, words]) => !existsSync(join(ROOT, path)) || !read(path).includes(words));
    expect(gone).toEqual([]);
  });
});
