import {
  type ApplyTransaction,
  type ForeignKey,
  type RowEffect,
  type RowRef,
  type RowState,
  type TableName,
  type TableSpec,
  type Values,
  parseValues,
  rowId,
  rowKeyOf,
} from '@meridian/core';
import { parkEffect, updatedValues } from './virtual-rows.js';
import { orRetry } from './take-again.js';

/** What the foreign keys make of a batch's effects: the replica role does not check them, so apply does (design 3). */
export interface ForeignKeyDecision {
  readonly toLock: readonly RowRef[];
  readonly effects: readonly RowEffect[];
}

/**
 * Children whose parent is not here are parked, and so are the children of a parent that goes. A parent that stays is held
 * FOR KEY SHARE, so that a local delete of it fails, as in one database.
 */
export async function decideForeignKeys(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  effects: readonly RowEffect[],
  held: ReadonlyMap<string, unknown>,
): Promise<ForeignKeyDecision> {
  if (!effects.some((e) => refersOrIsReferred(tables, e.table))) return { toLock: [], effects };
  const orphaned = await parkOrphans(tx, tables, effects);
  const vanishing = orphaned.filter((e) => e.kind === 'delete' || e.kind === 'park');
  const gone = new Set(vanishing.map(rowId));
  const children = vanishing.length === 0 ? [] : staying(await tx.children(vanishing), tables, orphaned, gone);
  if (children.length === 0) return { toLock: [], effects: orphaned };
  const toLock = children.map((c) => c.ref).filter((ref) => !held.has(rowId(ref)));
  if (toLock.length > 0) return { toLock, effects: orphaned };
  const parked = children.map((child) => {
    const [fk, parent] = parentsOf(tables.get(child.ref.table)!, tables, child.values).find(([, p]) =>
      gone.has(rowId(p)),
    )!;
    return parkEffect({ row: child, claims: new Map() }, { kind: 'foreign_key', constraint: fk.name, other: parent });
  });
  return decideForeignKeys(tx, tables, [...without(orphaned, parked), ...parked], held);
}

/** The children that would be left behind, as they are after the batch: it may change them, or give them another parent. */
function staying(
  children: readonly RowState[],
  tables: ReadonlyMap<TableName, TableSpec>,
  effects: readonly RowEffect[],
  gone: ReadonlySet<string>,
): RowState[] {
  const written = new Map(effects.map((e) => [rowId(e), e]));
  return children.flatMap((child) => {
    const effect = written.get(rowId(child.ref));
    if (effect !== undefined && effect.kind !== 'update') return [];
    const spec = tables.get(child.ref.table)!;
    const after = effect === undefined ? child : { ...child, values: updatedValues(spec, child.values, effect) };
    return parentsOf(spec, tables, after.values).some(([, parent]) => gone.has(rowId(parent))) ? [after] : [];
  });
}

/** A row that is parked is neither written nor taken from the parked. */
function without(effects: readonly RowEffect[], parked: readonly RowEffect[]): RowEffect[] {
  const ids = new Set(parked.map(rowId));
  return effects.filter((e) => !ids.has(rowId(e)));
}

/** Until nobody is left whose parent is parked with them: a grandchild goes with its parent. */
async function parkOrphans(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  effects: readonly RowEffect[],
): Promise<readonly RowEffect[]> {
  const parked = await parkOrphansOf(tx, tables, effects);
  return parked === effects ? effects : parkOrphans(tx, tables, parked);
}

async function parkOrphansOf(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  effects: readonly RowEffect[],
): Promise<readonly RowEffect[]> {
  const coming = new Set(effects.filter((e) => e.kind === 'insert' || e.kind === 'replace').map(rowId));
  const going = new Set(effects.filter((e) => e.kind === 'delete' || e.kind === 'park').map(rowId));
  const relied = effects.flatMap((e) => parentsOfEffect(tables, e).map(([, parent]) => parent));
  const outside = relied.filter((p) => !coming.has(rowId(p)) && !going.has(rowId(p)));
  const there = outside.length === 0 ? new Set<string>() : orRetry(await tx.holdParents(unique(outside)));
  const missing = (parent: RowRef) => !coming.has(rowId(parent)) && !there.has(rowId(parent));
  const orphans = effects.flatMap((effect) => {
    const lost = parentsOfEffect(tables, effect).find(([, parent]) => missing(parent));
    return lost === undefined ? [] : [{ effect, lost }];
  });
  if (orphans.length === 0) return effects;
  const updated = orphans.filter(({ effect }) => effect.kind === 'update').map(({ effect }) => plain(effect));
  const present = updated.length === 0 ? new Map<string, RowState>() : await tx.read(updated);
  const parked = orphans.map(({ effect, lost: [fk, parent] }) => {
    const values = updatedValues(tables.get(effect.table)!, present.get(rowId(effect))?.values ?? {}, effect);
    const row = { ref: plain(effect), place: 'table' as const, values };
    return parkEffect({ row, claims: new Map() }, { kind: 'foreign_key', constraint: fk.name, other: parent });
  });
  return [...without(effects, parked), ...parked];
}

const plain = ({ table, key }: RowRef): RowRef => ({ table, key });

function parentsOfEffect(tables: ReadonlyMap<TableName, TableSpec>, effect: RowEffect): [ForeignKey, RowRef][] {
  const spec = tables.get(effect.table);
  if (spec === undefined || (effect.kind !== 'insert' && effect.kind !== 'replace' && effect.kind !== 'update'))
    return [];
  return parentsOf(spec, tables, parseValues(effect.values));
}

/** Parents that a row refers to by an enrolled table's primary key; a foreign key with a NULL refers to nothing. */
export function parentsOf(
  spec: TableSpec,
  tables: ReadonlyMap<TableName, TableSpec>,
  values: Values,
): [ForeignKey, RowRef][] {
  return spec.foreignKeys.flatMap((fk): [ForeignKey, RowRef][] => {
    const parent = tables.get(fk.parent);
    if (parent === undefined || !fk.columns.every((c) => Object.hasOwn(values, c))) return [];
    const columns = parent.keyColumns.map((c) => fk.columns[fk.parentColumns.indexOf(c)]);
    if (columns.some((c) => c === undefined)) return [];
    const key = rowKeyOf(columns as string[], values);
    return key === null ? [] : [[fk, { table: fk.parent, key }]];
  });
}

const refersOrIsReferred = (tables: ReadonlyMap<TableName, TableSpec>, table: TableName): boolean =>
  (tables.get(table)?.foreignKeys.length ?? 0) > 0 ||
  [...tables.values()].some((t) => t.foreignKeys.some((fk) => fk.parent === table));

const unique = (refs: readonly RowRef[]): RowRef[] => [...new Map(refs.map((r) => [rowId(r), r])).values()];
