import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read, sources } from './sources';

const SPEC = read('docs/SPEC.md');
const TEST_PATH = /`((?:libs|apps|test|infra)\/[^`]*\.spec\.tsx?)`/g;
const pathsIn = (text: string): string[] => [...text.matchAll(TEST_PATH)].map((m) => m[1]!);

/** Number of an invariant → the tests its section names. */
const invariants = new Map(
  [...SPEC.matchAll(/^### (I\d+) .*\n([\s\S]*?)(?=^#)/gm)].map(([, number, section]) => [
    number!,
    pathsIn(section!.split('**Enforced by:**')[1] ?? ''),
  ]),
);

const names = (path: string, number: string): boolean =>
  existsSync(join(ROOT, path)) && new RegExp(`\\b${number}\\b`).test(read(path));

describe('docs/SPEC.md', () => {
  it('lists the invariants of the design', () => {
    expect([...invariants.keys()]).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8']);
  });

  it('names no test that does not exist', () => {
    expect(pathsIn(SPEC).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it.each([...invariants])('%s is named by a test that enforces it', (number, paths) => {
    expect(paths.filter((path) => names(path, number))).not.toEqual([]);
  });

  it('has every promise of the list once', () => {
    const promises = [...SPEC.matchAll(/^\| (P\d+) \|/gm)].map((m) => m[1]);
    expect(promises).toEqual(Array.from({ length: 16 }, (_, i) => `P${i + 1}`));
  });
});

describe('numbers in code and tests', () => {
  it('are those of docs/SPEC.md', () => {
    const known = new Set([...SPEC.matchAll(/\b([IPA]\d+)\b/g)].map((m) => m[1]!));
    const unknown = sources()
      .filter((path) => path.endsWith('.spec.ts') && !path.startsWith('test/house/'))
      .flatMap((path) => [...read(path).matchAll(/\((?:[IP]\d+)(?:, [IP]\d+)*\)/g)].map((m) => [path, m[0]] as const))
      .filter(([, text]) => (text.match(/[IP]\d+/g) ?? []).some((number) => !known.has(number)));
    expect(unknown).toEqual([]);
  });
});
