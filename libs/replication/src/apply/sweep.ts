import {
  type ApplyStore,
  type ApplyTransaction,
  type Claimant,
  type Digest,
  type Places,
  type RegionId,
  type RowEffect,
  type RowRef,
  type TableName,
  type TableSpec,
  type Vector,
  distinctRows,
  origins,
  rowId,
  valuesText,
  vectorOf,
  visibleRows,
} from '@meridian/core';
import { endWrittenOver } from './end-siblings.js';
import { decideForeignKeys, parentsOf } from './foreign-keys.js';
import { keepClaimsBelow } from './claims-to-keep.js';
import { recordActs } from './act-records.js';
import { type Act, findActs, withActs } from './losers.js';
import { ownChange } from './own-changes.js';
import { recordParking } from './parking-records.js';
import { orRetry, retryOf } from './take-again.js';
import { connectedRows, lostTo, parkEffect } from './virtual-rows.js';

/**
 * Brings the tables to what the virtual rows say: a parked row whose key is free again, or whose parent is back, returns; one
 * that a local insert has overtaken is exchanged; a counter beyond its type shows as much of its sum as the type holds; a sibling
 * that was written over ends. A step
 * of apply's own, for a local release in REPEATABLE READ cannot see the parked row (design 6). Equal vectors mean equal tables
 * after the sweep. And what the policies of keys say of rows that have lost is done here, where it is this region's to do.
 */
export class Sweep {
  constructor(
    private readonly store: ApplyStore,
    private readonly digest: Digest,
  ) {}

  /**
   * Resolves to how many rows and records of siblings changed; null: contention with local writers leaves them to the next sweep.
   * `forgetting`: the cut below which the log is to be forgotten next.
   */
  async run(forgetting: Vector | null = null): Promise<number | null> {
    const placed = await this.once('place', forgetting);
    if (placed === null || !placed.deletesDue) return placed === null ? null : placed.changed;
    return placed.changed + ((await this.once('delete', null))?.changed ?? 0);
  }

  /** Deletes in a transaction of their own: it holds writers, and is given up when one holds it. */
  private async once(what: Work, forgetting: Vector | null): Promise<Swept | null> {
    const waiting = await this.store.waitingTables();
    const { tables } = await this.store.enrolments();
    const heads = await this.store.heads();
    const tx = await this.store.begin();
    let open = true;
    let overflowed = false;
    try {
      const overtaken = await tx.removeOvertaken();
      const plan = await this.plan(tx, notWaiting(tables, waiting), vectorOf(heads), what);
      orRetry(await tx.write(plan.effects));
      await this.carryOut(tx, tables, plan, vectorOf(heads), overtaken);
      const ended = what === 'place' ? await endWrittenOver(tx, notWaiting(tables, waiting)) : [];
      if (ended.length > 0) await tx.recordConflicts(ended);
      if (forgetting !== null) await keepClaimsBelow(tx, tables, forgetting);
      open = false;
      orRetry(await tx.commit());
      const changed = ended.length + overtaken.length + plan.effects.filter((e) => e.kind !== 'unpark').length;
      return { changed: changed + plan.acts.filter((a) => a.values === null).length, deletesDue: plan.deletesDue };
    } catch (error) {
      const because = retryOf(error);
      if (because === null) throw error;
      overflowed = because.retry === 'counter overflow';
    } finally {
      if (open) await tx.rollback();
    }
    // At once: the very next transaction is the one that knows what to do about it.
    return overflowed ? this.once(what, forgetting) : null;
  }

  /** Behind the write of the rows, by whose keys local inserts come before or after it: so the log has all in their order. */
  private async carryOut(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    { effects, acts }: Plan,
    floor: Vector,
    overtaken: readonly RowRef[],
  ): Promise<void> {
    const deleted = acts.filter((a) => a.values === null).map((a) => a.row.row.ref);
    if (deleted.length > 0) orRetry(await tx.holdWriters([...new Set(deleted.map((ref) => ref.table))]));
    const shown = effects.filter((e) => e.kind === 'insert');
    if (shown.length + deleted.length > 0) orRetry(await tx.lookAgain([...shown, ...deleted], floor));
    if (acts.length > 0) await tx.logOwn(acts.map((act) => ownChange(tables.get(act.row.row.ref.table)!, act)));
    const acted = new Set(acts.map((act) => rowId(act.row.row.ref)));
    const others = effects.filter((e) => !acted.has(rowId(e)));
    const records = [
      ...(await recordParking(tx, this.digest, this.store.region, others, overtaken)),
      ...(await recordActs(tx, this.digest, this.store.region, acts, tables)),
    ];
    if (records.length > 0) await tx.recordConflicts(records);
  }

  private async plan(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    floor: Vector,
    what: Work,
  ): Promise<Plan> {
    const parked = await this.parkedOf(tx, tables);
    const unsettled = what === 'delete' ? [] : (await tx.unsettled()).filter((ref) => tables.has(ref.table));
    if (parked.length === 0 && unsettled.length === 0) return NOTHING;
    const before = await this.virtualRows(tx, tables, parked);
    const refs = [...before.values()].map((r) => r.row.ref);
    const parents = [...before.values()].flatMap((r) =>
      parentsOf(tables.get(r.row.ref.table)!, tables, r.row.values).map(([, parent]) => parent),
    );
    const settled = unsettled.map((ref): RowEffect => ({ ...ref, kind: 'settle' }));
    let wanted = distinctRows([...refs, ...parents, ...unsettled]);
    for (;;) {
      const held = orRetry(await tx.lock(wanted));
      if (parked.length === 0) return { ...NOTHING, effects: settled };
      await tx.entriesAbove(refs, floor);
      const { toLock, ...plan } = await this.planPlaces(tx, tables, held, origins(floor), what);
      if (toLock.length === 0) return { ...plan, effects: [...plan.effects, ...settled] };
      // Children of a row that goes: as ever, whoever is held meanwhile by others is waited for, and not for long.
      const more = distinctRows([...wanted, ...toLock]);
      if (more.length === wanted.length) return NOTHING;
      wanted = more;
    }
  }

  private async planPlaces(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    held: Places,
    regions: readonly RegionId[],
    what: Work,
  ): Promise<Unlocked> {
    const { region: here } = this.store;
    const rows = await this.virtualRows(tx, tables, await this.parkedOf(tx, tables));
    const strangers = [...rows.values()].map((r) => r.row.ref).filter((ref) => !held.has(rowId(ref)));
    if (strangers.length > 0) return { ...NOTHING, toLock: strangers };
    const due = await findActs(tx, tables, rows, held, { here, regions });
    const deletes = due.filter((act) => act.values === null);
    if (what === 'delete') {
      const effects = deletes.map(({ row }): RowEffect => ({ ...row.row.ref, kind: 'unpark' }));
      return { effects, acts: deletes, deletesDue: false, toLock: [] };
    }
    const changes = due.filter((act) => act.values !== null);
    return { ...(await this.placesAfter(tx, tables, held, rows, changes)), deletesDue: deletes.length > 0 };
  }

  /** An act that would not show its row is left for later: only the row in its table tells a local insert of its key apart. */
  private async placesAfter(
    tx: ApplyTransaction,
    tables: ReadonlyMap<TableName, TableSpec>,
    held: Places,
    rows: ReadonlyMap<string, Claimant>,
    acts: readonly Act[],
  ): Promise<Omit<Unlocked, 'deletesDue'>> {
    const after = withActs(tables, rows, acts, this.store.region);
    const decided = await decideForeignKeys(tx, tables, placeEffects(tables, after), held);
    if (decided.toLock.length > 0) return { ...NOTHING, toLock: decided.toLock };
    const shown = new Set(decided.effects.filter((e) => e.kind === 'insert').map(rowId));
    const showing = acts.filter((act) => shown.has(rowId(act.row.row.ref)));
    if (showing.length < acts.length) return this.placesAfter(tx, tables, held, rows, showing);
    return { effects: withoutIdleParking(decided.effects, rows), acts, toLock: [] };
  }

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

type Work = 'place' | 'delete';

interface Swept {
  readonly changed: number;
  readonly deletesDue: boolean;
}

interface Plan {
  readonly effects: readonly RowEffect[];
  readonly acts: readonly Act[];
  readonly deletesDue: boolean;
}
interface Unlocked extends Plan {
  /** Rows that the plan needs and nobody has locked: then it is made anew. */
  readonly toLock: readonly RowRef[];
}
const NOTHING: Plan = { effects: [], acts: [], deletesDue: false };

/** Rows of a table whose changes wait stay where they are until those are in, and so do rows that refer to it. */
const notWaiting = (
  tables: ReadonlyMap<TableName, TableSpec>,
  waiting: ReadonlySet<TableName>,
): ReadonlyMap<TableName, TableSpec> =>
  new Map(
    [...tables].filter(
      ([name, spec]) => ![name, ...spec.foreignKeys.map((key) => key.parent)].some((t) => waiting.has(t)),
    ),
  );

/** Every row of the connected ones that does not stand where the virtual rows want it. */
function placeEffects(tables: ReadonlyMap<TableName, TableSpec>, rows: ReadonlyMap<string, Claimant>): RowEffect[] {
  return [...tables.values()].flatMap((spec) => {
    const own = [...rows.values()].filter((r) => r.row.ref.table === spec.name);
    const visible = visibleRows(own, spec.uniqueKeys);
    return own.flatMap((row): RowEffect[] => {
      const lost = visible.parked.get(rowId(row.row.ref));
      if (lost !== undefined) return row.row.place === 'parked' ? [] : [parkEffect(row, lostTo(lost))];
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
