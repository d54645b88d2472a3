/**
 * Whoever checks a document leaves these names out of it, and a column may be called so. So they go through the check under names that
 * no column can have.
 */
const NAMES = ['__proto__', 'prototype', 'constructor'];
const hidden = (key: string): string => `${key}\0`;
const HIDDEN = new Map(NAMES.map((key) => [key, hidden(key)]));
const SHOWN = new Map(NAMES.map((key) => [hidden(key), key]));

export const shownKey = (key: string): string => SHOWN.get(key) ?? key;

/** The same object where it holds none of them, as nearly always. */
export const hideKeys = (value: unknown): unknown => (holdsAny(value) ? renamed(value, HIDDEN) : value);
export const showKeys = (value: unknown): unknown => renamed(value, SHOWN);

function holdsAny(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return NAMES.some((key) => Object.hasOwn(value, key)) || Object.values(value).some(holdsAny);
}

/** By fromEntries, which makes a member of `__proto__` and no prototype. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((v) => renamed(v, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [names.get(key) ?? key, renamed(v, names)]));
}
