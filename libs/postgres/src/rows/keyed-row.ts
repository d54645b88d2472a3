import { type JsonText, type ParkReason, type RowKey, type RowState } from '@meridian/core';
import { ApplyTable } from '../apply/apply-table.js';
import { parkedRow } from '../apply/virtual-rows.js';
import { ident } from '../catalog/quoting.js';
import { keyTextOf } from '../catalog/value-text.js';
import type { ReadingTransaction } from './reading-transaction.js';

/** A row by its key, wherever it is. */
export interface KeyedRow {
  /** As the log writes it. */
  readonly key: RowKey;
  readonly row: RowState | null;
  readonly parked: ParkReason | null;
}

/** Null: no row can have this key. */
export async function rowByKey(
  reading: ReadingTransaction,
  table: ApplyTable,
  key: readonly string[],
): Promise<KeyedRow | null> {
  const [found] = await reading.query(byKey(table), [...key, ...key]);
  if (found === undefined) return null;
  const [pk, isShown, ...texts] = found;
  const ref = table.ref(pk!);
  if (isShown === 't') {
    const values = Object.fromEntries(table.columns.map((c, i) => [c.name, texts[i] ?? null]));
    return { key: ref.key, row: { ref, place: 'table', values }, parked: null };
  }
  return { key: ref.key, ...(await parkedByKey(reading, table, pk!)) };
}

/** A value that does not fit its column's length or scale is cut or rounded by the cast: then it is the key of no row. */
function byKey(table: ApplyTable): string {
  const given = table.key.map((c, i) => `$${i + 1}::${c.type} AS ${ident(c.name)}`).join(', ');
  const same = table.key.map((c) => `t.${ident(c.name)} = k.${ident(c.name)}`).join(' AND ');
  const fits = table.key.map((c, i) => `k.${ident(c.name)} = $${table.key.length + i + 1}`).join(' AND ');
  return `SELECT json_build_array(${table.key.map((c) => keyTextOf(c, 'k')).join(', ')}), t.ctid IS NOT NULL, ${table.rowTexts('t')}
     FROM (SELECT ${given}) k LEFT JOIN ${table.name} t ON ${same} WHERE ${fits}`;
}

async function parkedByKey(
  reading: ReadingTransaction,
  table: ApplyTable,
  pk: string,
): Promise<Pick<KeyedRow, 'row' | 'parked'>> {
  const [found] = await reading.query(
    'SELECT image, reason FROM meridian.parked p WHERE rel = $1 AND pk = $2 AND NOT meridian.is_overtaken(p)',
    [table.name, pk],
  );
  if (found === undefined) return { row: null, parked: null };
  const [image, reason] = found as readonly [JsonText, string];
  return { row: parkedRow(table, pk, image), parked: JSON.parse(reason) as ParkReason };
}
