import { basename } from 'node:path';
import { read, sources } from './sources';

/** This folder has to spell out what it forbids. */
const all = sources().filter((path) => !path.startsWith('test/house/'));
const code = all.filter((path) => /\.(ts|tsx|mjs|cjs|sql)$/.test(path));
const tests = code.filter((path) => /\.spec\.tsx?$/.test(path));

/** Files with the lines that break a rule, so that a failure reads like a list of things to do. */
const lines = (paths: readonly string[], forbidden: RegExp): string[] =>
  paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, i) => (forbidden.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );

describe('house rules that a linter lacks', () => {
  it('nothing is left to be done before a merge', () => {
    expect(lines(code, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  it('no test is skipped, focused, or waiting to be written', () => {
    expect(
      lines(tests, /\b(?:it|test|describe)\.(?:skip|only|todo|failing)\b|\b(?:xit|xdescribe|fit|fdescribe)\(/),
    ).toEqual([]);
  });

  it('PostgreSQL, Kafka and Redis are real in tests: no module is mocked', () => {
    expect(lines(tests, /\bjest\.(?:mock|doMock|unstable_mockModule)\(/)).toEqual([]);
  });

  it('a file is named after a concept', () => {
    expect(all.filter((path) => /^(?:utils?|common|helpers?|misc)\b/.test(basename(path)))).toEqual([]);
    expect(all.filter((path) => /\/(?:utils?|common|helpers?|misc)\//.test(path))).toEqual([]);
  });

  it('words that say nothing or promise too much stay out of comments and documents', () => {
    expect(
      lines(
        all,
        /\b(?:simply put|obviously correct|blazing(?:ly)?|seamless(?:ly)?|robust(?:ly)?|leverage[sd]?|utili[sz]e[sd]?)\b/i,
      ),
    ).toEqual([]);
  });

  it('no machine of ours is named: paths of a home or work folder, or a private registry', () => {
    expect(lines(all, /\/(?:home|Users)\/[a-z]+\/|\/work\/(?:main|shared)\b/)).toEqual([]);
  });

  it('a file that holds code stays short enough to be read at once', () => {
    const long = code
      .filter((path) => !/\.spec\.tsx?$|^migrations\/|^apps\/dashboard\//.test(path))
      .map((path) => [path, read(path).split('\n').length] as const)
      .filter(([, length]) => length > 400);
    expect(long).toEqual([]);
  });

  it('every lib has a page that says what it owns', () => {
    const libs = new Set(all.flatMap((path) => /^libs\/([^/]+)\/src\//.exec(path)?.[1] ?? []));
    expect([...libs].filter((lib) => !all.includes(`libs/${lib}/README.md`))).toEqual([]);
  });
});
