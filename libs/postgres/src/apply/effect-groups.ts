import type { JsonText, RowEffect, RowKey, TableName } from '@meridian/core';
import { parseValues } from '@meridian/core';

interface RowWrite {
  readonly key: RowKey;
  readonly values: JsonText;
}

/** Writes of one table that one statement does: they name the same columns. */
export interface WriteGroup {
  readonly table: TableName;
  readonly columns: readonly string[];
  /** Updates: are counters' values differences, or the value itself? */
  readonly counters: 'add' | 'set';
  readonly rows: RowWrite[];
}

export interface GroupedEffects {
  /** Rows to take out of their table: deleted, parked, or about to be inserted anew. */
  readonly frees: ReadonlyMap<TableName, RowKey[]>;
  readonly parks: readonly Extract<RowEffect, { readonly kind: 'park' }>[];
  readonly unparks: ReadonlyMap<TableName, RowKey[]>;
  readonly updates: readonly WriteGroup[];
  readonly inserts: readonly WriteGroup[];
  readonly settles: ReadonlyMap<TableName, RowKey[]>;
}

export function groupEffects(effects: readonly RowEffect[]): GroupedEffects {
  const frees = new Map<TableName, RowKey[]>();
  const unparks = new Map<TableName, RowKey[]>();
  const settles = new Map<TableName, RowKey[]>();
  const parks: Extract<RowEffect, { readonly kind: 'park' }>[] = [];
  const updates = new Map<string, WriteGroup>();
  const inserts = new Map<string, WriteGroup>();
  for (const effect of effects)
    switch (effect.kind) {
      case 'delete':
        push(frees, effect.table, effect.key);
        break;
      case 'replace':
        push(frees, effect.table, effect.key);
        group(inserts, effect, 'set');
        break;
      case 'park':
        push(frees, effect.table, effect.key);
        parks.push(effect);
        break;
      case 'unpark':
        push(unparks, effect.table, effect.key);
        break;
      case 'insert':
        group(inserts, effect, 'set');
        break;
      case 'update':
        group(updates, effect, effect.counters);
        break;
      case 'settle':
        push(settles, effect.table, effect.key);
        break;
    }
  return { frees, parks, unparks, updates: [...updates.values()], inserts: [...inserts.values()], settles };
}

function push(to: Map<TableName, RowKey[]>, table: TableName, key: RowKey): void {
  const keys = to.get(table);
  if (keys === undefined) to.set(table, [key]);
  else keys.push(key);
}

function group(
  groups: Map<string, WriteGroup>,
  effect: { readonly table: TableName; readonly key: RowKey; readonly values: JsonText },
  counters: 'add' | 'set',
): void {
  const columns = Object.keys(parseValues(effect.values)).sort();
  const id = JSON.stringify([effect.table, counters, columns]);
  const row = { key: effect.key, values: effect.values };
  const known = groups.get(id);
  if (known === undefined) groups.set(id, { table: effect.table, columns, counters, rows: [row] });
  else known.rows.push(row);
}
