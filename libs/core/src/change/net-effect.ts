import { addDecimals } from './decimal.js';
import { type Change, type Values, patchOf } from './change.js';

/** What a run of changes of one row, each of which had seen the one before, does in the end. */
export type NetEffect =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'insert'; readonly values: Values }
  | { readonly kind: 'update'; readonly values: Values }
  | { readonly kind: 'delete' }
  /** Deleted, and inserted anew. */
  | { readonly kind: 'replace'; readonly values: Values };

const NOTHING: NetEffect = { kind: 'nothing' };

/** Over a whole batch: the log keeps every change, the table gets one write per row (a row inserted and deleted in it gets none). */
export const netEffect = (changes: readonly Change[], counters: ReadonlySet<string>): NetEffect =>
  changes.reduce<NetEffect>((effect, change) => then(effect, change, counters), NOTHING);

function then(effect: NetEffect, change: Change, counters: ReadonlySet<string>): NetEffect {
  switch (change.op) {
    case 'insert':
      return {
        kind: effect.kind === 'delete' || effect.kind === 'replace' ? 'replace' : 'insert',
        values: patchOf(change),
      };
    case 'delete':
      return effect.kind === 'insert' ? NOTHING : { kind: 'delete' };
    case 'update':
      return updated(effect, patchOf(change), counters);
  }
}

function updated(effect: NetEffect, patch: Values, counters: ReadonlySet<string>): NetEffect {
  if (Object.keys(patch).length === 0) return effect;
  if (effect.kind === 'nothing') return { kind: 'update', values: patch };
  if (effect.kind === 'delete')
    throw new Error('an update follows a delete of the same row, and both are covered: the log order is broken');
  return { ...effect, values: mergePatch(effect.values, patch, counters) };
}

/** Later columns over earlier ones; counters' differences add up. */
export function mergePatch(first: Values, next: Values, counters: ReadonlySet<string>): Values {
  const merged = new Map(Object.entries(first));
  for (const [column, value] of Object.entries(next)) {
    const held = merged.get(column);
    merged.set(column, counters.has(column) && held != null && value !== null ? addDecimals(held, value) : value);
  }
  return Object.fromEntries(merged);
}
