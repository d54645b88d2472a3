import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(__dirname, '..', '..');

/** What is made, fetched or not ours. */
const ELSEWHERE = new Set(['node_modules', 'dist', 'coverage', '.git']);
const WRITTEN_BY_HAND = /\.(ts|tsx|mjs|cjs|sql|md|yml|yaml)$/;

/** Paths of all that people write here, from the root on. */
export function sources(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (ELSEWHERE.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return WRITTEN_BY_HAND.test(entry.name) ? [relative(ROOT, path)] : [];
  });
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
