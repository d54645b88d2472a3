import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Compares with a file of this folder; MERIDIAN_REWRITE=1 writes it anew, and the diff is reviewed. */
export function expectGolden(name: string, actual: string): void {
  const path = join(__dirname, name);
  if (process.env['MERIDIAN_REWRITE'] === '1' || !existsSync(path)) writeFileSync(path, actual);
  expect(actual).toBe(readFileSync(path, 'utf8'));
}

export const readGolden = (name: string): string => readFileSync(join(__dirname, name), 'utf8');
