import {
  type ApplyStore,
  type ApplyTransaction,
  type Claimant,
  type Digest,
  type Places,
  type RowEffect,
  type TableName,
  type TableSpec,
  distinctRows,
  rowId,
  valuesText,
  visibleRows,
} from '@meridian/core';
import { endWrittenOver } from './end-siblings.js';
import { decideForeignKeys, parentsOf } from './foreign-keys.js';
import { recordParking } from './parking-records.js';
import { orRetry, retryOf } from './take-again.js';
import { connectedRows, parkEffect } from './virtual-rows.js';

/**
 * Brings the tables to what the virtual rows say: a parked row whose key is free again, or whose parent is back, returns; one
 * that a local insert has overtaken is exchanged; a counter beyond its type shows as much of its sum as the type holds; a sibling
 * that was written over ends. A step
 * of apply's own, for a local release in REPEATABLE READ cannot see the parked row (design 6). Equal vectors mean equal tables
 * after the sweep.
 */
export class Sweep {
  constructor(
    private readonly store: ApplyStore,
    private readonly digest: Digest,
  ) {}

  /** Resolves to how many rows and records of siblings changed; null: contention with local writers leaves them to the next sweep. */
  async run(): Promise<number | null> {
    const waiting = await this.store.waitingTables();
    const enrolments = await this.store.enrolments();
    const tables = new Map([...enrolments.tables].filter(([name]) => !waiting.has(name)));
    const tx = await this.store.begin();
    let open = true;
    let overflowed = false;
    try {
      const overtaken = await tx.removeOvertaken();
      const effects = await this.decide(tx, tables);
      orRetry(await tx.write(effects));
      const parking = await recordParking(tx, this.digest, this.store.region, effects, overtaken);
      const ended = await endWrittenOver(tx, tables);
      const records = [...parking, ...ended];
      if (records.length > 0) await tx.recordConflicts(records);
      open = false;
      orRetry(await tx.commit());
      return ended.length + overtaken.length + effects.filter((e) => e.kind !== 'unpark').length;
    } catch (error) {
      const because = retryOf(error);
      if (because === null) throw error;
      overflowed = because.retry === 'counter overflow';
    } finally {
      if (open) await tx.rollback();
    }
    // At once: the very next transaction is the one that knows what to do about it.
    return overflowed ? this.run() : null;
  }

  private async decide(tx: ApplyTransaction, tables: ReadonlyMap<TableName, TableSpec>): Promise<readonly RowEffect[]> {
    const parked = await this.parkedOf(tx, tables);
    const unsettled = (await tx.unsettled()).filter((ref) => tables.has(ref.table));
    if (parked.length === 0 && unsettled.length === 0) return [];
    const before = await this.virtualRows(tx, tables, parked);
    const refs = [...before.values()].map((r) => r.row.ref);
    const parents = [...before.values()].flatMap((r) =>
      parentsOf(tables.get(r.row.ref.table)!, tables, r.row.values).map(([, parent]) => parent),
    );
    const held = orRetry(await tx.lock(distinctRows([...refs, ...parents, ...unsettled])));
    const places = parked.length === 0 ? [] : await this.decidePlaces(tx, tables, held);
    return [...places, ...unsettled.map((ref): RowEffect => ({ ...ref, kind: 'settle' }))];
  }

  private async decidePlaces(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    held: Places,
  ): Promise<readonly RowEffect[]> {
    const rows = await this.virtualRows(tx, tables, await this.parkedOf(tx, tables));
    if ([...rows.keys()].some((id) => !held.has(id))) return [];
    const effects = placeEffects(tables, rows);
    const decided = await decideForeignKeys(tx, tables, effects, held);
    return decided.toLock.length > 0 ? [] : withoutIdleParking(decided.effects, rows);
  }

  /** Rows of a table whose changes wait stay where they are until those are in. */
  private async parkedOf(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
  ): Promise<readonly Claimant[]> {
    return (await tx.parked()).filter((r) => tables.has(r.row.ref.table));
  }

  private async virtualRows(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    parked: readonly Claimant[],
  ): Promise<Map<string, Claimant>> {
    const all = new Map<string, Claimant>();
    for (const spec of tables.values()) {
      const own = parked.filter((r) => r.row.ref.table === spec.name);
      if (own.length === 0) continue;
      const start = new Map(own.map((r) => [rowId(r.row.ref), r]));
      const { rows } = await connectedRows(tx, spec, start, new Set());
      for (const [id, row] of rows) all.set(id, row);
    }
    return all;
  }
}

/** Every row of the connected ones that does not stand where the virtual rows want it. */
function placeEffects(tables: ReadonlyMap<TableName, TableSpec>, rows: ReadonlyMap<string, Claimant>): RowEffect[] {
  return [...tables.values()].flatMap((spec) => {
    const own = [...rows.values()].filter((r) => r.row.ref.table === spec.name);
    const visible = visibleRows(own, spec.uniqueKeys);
    return own.flatMap((row): RowEffect[] => {
      const lost = visible.parked.get(rowId(row.row.ref));
      if (lost !== undefined)
        return row.row.place === 'parked'
          ? []
          : [parkEffect(row, { kind: 'unique_key', constraint: lost.key.name, other: lost.holder.row.ref })];
      if (row.row.place === 'table') return [];
      return [
        { ...row.row.ref, kind: 'unpark' },
        { ...row.row.ref, kind: 'insert', values: valuesText(row.row.values) },
      ];
    });
  });
}

/** A row that would return but for its parent stays as it is parked. */
function withoutIdleParking(effects: readonly RowEffect[], rows: ReadonlyMap<string, Claimant>): RowEffect[] {
  const staying = new Set(
    effects.filter((e) => e.kind === 'park' && rows.get(rowId(e))?.row.place === 'parked').map(rowId),
  );
  return effects.filter((e) => !staying.has(rowId(e)));
}
