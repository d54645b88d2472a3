import {
  type ApplyTransaction,
  type Claim,
  type Claimant,
  type Entry,
  type ForeignKey,
  type ParentLoss,
  PARK,
  type Places,
  type RegionId,
  renamed,
  RESTORE,
  type RowRef,
  type TableName,
  type TableSpec,
  type UniqueKey,
  type UniqueLoss,
  type Values,
  changeId,
  claimedValue,
  claimInLog,
  inPresentColumns,
  rowId,
  stamp,
  visibleRows,
  groupByRow,
} from '@meridian/core';
import { parentsOf } from './foreign-keys.js';

/** What a parked row has lost: a unique value to a row that shows, or a parent that is gone. */
export type Loss =
  | {
      readonly kind: 'unique_key';
      readonly key: UniqueKey;
      readonly other: RowRef;
      readonly policy: UniqueLoss;
      readonly claim: Claim | null;
      readonly holdersClaim: Claim | null;
    }
  | {
      readonly kind: 'foreign_key';
      readonly key: ForeignKey;
      readonly other: RowRef;
      readonly policy: ParentLoss;
    };

/** What this region does to a row that has lost: once written it is a fact, as any other change of the row. */
export interface Act {
  readonly row: Claimant;
  readonly losses: readonly Loss[];
  /** The write that lost; null: older than the log. */
  readonly claim: Claim | null;
  /** The whole row as it is to be; null: deleted. */
  readonly values: Values | null;
}

export interface Actors {
  readonly here: RegionId;
  /** All of them: a write that is older than the log has the name of the lowest. */
  readonly regions: readonly RegionId[];
}

/**
 * What the policies have this region do (ADR 22): the region whose write lost carries the policy out, and only of a row that is
 * parked already, so that its record is there. A row whose holder is parked itself, or whose parent is, has lost nothing for good.
 *
 * Logs forget at different times: a region that knows the write no more acts, too, for the one whose it was may be such a region
 * (simulation, seed 224: each waited for another). Then several make the same change.
 */
export async function findActs(
  tx: ApplyTransaction,
  tables: ReadonlyMap<TableName, TableSpec>,
  rows: ReadonlyMap<string, Claimant>,
  places: Places,
  { here, regions }: Actors,
): Promise<readonly Act[]> {
  const losers = lossesOf(tables, rows, places).filter(({ losses }) => losses.every(isToBeActedOn));
  if (losers.length === 0) return [];
  const log = groupByRow(await tx.entriesOf(losers.map(({ row }) => row.row.ref)));
  const lowest = [...regions].sort()[0]!;
  const acts: Act[] = [];
  const taken = new Set<string>();
  for (const { row, losses } of losers) {
    const spec = tables.get(row.row.ref.table)!;
    const claim = losingClaim(spec, row, losses[0]!, log.get(rowId(row.row.ref)) ?? []);
    if (claim !== null && claim.origin !== here) continue;
    const values = losses.some(({ policy }) => isDelete(policy))
      ? null
      : await changed(tx, spec, row, losses, claim?.origin ?? lowest, taken);
    if (values === undefined) continue;
    if (values !== null) for (const key of spec.uniqueKeys) taken.add(claimedValue(key, values) ?? '');
    acts.push({ row, losses, claim, values });
  }
  return acts;
}

const isToBeActedOn = ({ policy }: Loss): boolean => policy.kind !== 'park' && policy.kind !== 'restore';
const isDelete = ({ kind }: Loss['policy']): boolean => kind === 'delete' || kind === 'cascade';

interface Loser {
  readonly row: Claimant;
  readonly losses: readonly Loss[];
}

function lossesOf(
  tables: ReadonlyMap<TableName, TableSpec>,
  rows: ReadonlyMap<string, Claimant>,
  places: Places,
): readonly Loser[] {
  return [...tables.values()].flatMap((spec) => {
    const own = [...rows.values()].filter((r) => r.row.ref.table === spec.name);
    if (!own.some((r) => r.row.place === 'parked')) return [];
    const { parked } = visibleRows(own, spec.uniqueKeys);
    return own.flatMap((row): Loser[] => {
      const lost = parked.get(rowId(row.row.ref)) ?? [];
      if (row.row.place !== 'parked' || lost.some(({ holder }) => holder.row.place === 'parked')) return [];
      const values = lost.map(({ key, holder }): Loss => ({
        ...{ kind: 'unique_key', key, other: holder.row.ref, policy: key.loser ?? PARK },
        ...{ claim: row.claims.get(key.name) ?? null, holdersClaim: holder.claims.get(key.name) ?? null },
      }));
      const parents = goneParents(spec, tables, row, places);
      return values.length + parents.length === 0 ? [] : [{ row, losses: [...values, ...parents] }];
    });
  });
}

/** Neither shown nor parked. A row that is its own parent goes and comes with itself. */
const goneParents = (
  spec: TableSpec,
  tables: ReadonlyMap<TableName, TableSpec>,
  { row }: Claimant,
  places: Places,
): Loss[] =>
  parentsOf(spec, tables, row.values)
    .filter(([, parent]) => rowId(parent) !== rowId(row.ref) && !places.has(rowId(parent)))
    .map(([key, other]) => ({ kind: 'foreign_key', key, other, policy: key.orphan ?? RESTORE }));

function losingClaim(spec: TableSpec, { row, claims }: Claimant, loss: Loss, log: readonly Entry[]): Claim | null {
  if (loss.kind === 'unique_key') return claims.get(loss.key.name) ?? null;
  const entries = log.map((e) => inPresentColumns(e, spec));
  return claimInLog(spec, loss.key, entries, row.values);
}

/** Beyond that somebody takes the values on purpose. */
const MOST_ATTEMPTS = 50;

/** The whole row with what its losses change, all in one; undefined: no value by its template is free, or fits. */
async function changed(
  tx: ApplyTransaction,
  spec: TableSpec,
  { row }: Claimant,
  losses: readonly Loss[],
  region: RegionId,
  taken: ReadonlySet<string>,
): Promise<Values | undefined> {
  let values = row.values;
  for (const { policy } of losses) {
    if (policy.kind === 'null') {
      const columns = 'columns' in policy ? policy.columns : [policy.column];
      values = { ...values, ...Object.fromEntries(columns.map((column) => [column, null])) };
    }
    // Where two keys share the column the first one's name is to be free in both.
    if (policy.kind !== 'rename' || values[policy.column] !== row.values[policy.column]) continue;
    const lost = { key: row.ref.key, values: row.values, region };
    let free: Values | undefined;
    for (let attempt = 1; free === undefined && attempt <= MOST_ATTEMPTS; attempt++) {
      const name = renamed(policy, lost, attempt);
      if (name === null) return undefined;
      const candidate: Values = { ...values, ...Object.fromEntries([[policy.column, name]]) };
      if (await isFree(tx, spec, policy.column, candidate, taken)) free = candidate;
    }
    if (free === undefined) return undefined;
    values = free;
  }
  return values;
}

async function isFree(
  tx: ApplyTransaction,
  spec: TableSpec,
  column: string,
  values: Values,
  taken: ReadonlySet<string>,
): Promise<boolean> {
  for (const key of spec.uniqueKeys.filter((k) => k.columns.includes(column))) {
    const claimed = claimedValue(key, values);
    if (claimed === null) continue;
    const wanted = Object.fromEntries(key.columns.map((c) => [c, values[c] ?? null]));
    if (taken.has(claimed) || (await tx.claimants(spec.name, key.name, [wanted])).length > 0) return false;
  }
  return true;
}

/** Of a write that is not in the log yet: nothing has a later one. */
const LATEST = { stamp: stamp((1n << 63n) - 1n), id: changeId(Number.MAX_SAFE_INTEGER) };

/** The virtual rows once these acts are done. */
export function withActs(
  tables: ReadonlyMap<TableName, TableSpec>,
  rows: ReadonlyMap<string, Claimant>,
  acts: readonly Act[],
  here: RegionId,
): Map<string, Claimant> {
  const after = new Map(rows);
  for (const { row, values } of acts) {
    const { ref } = row.row;
    if (values === null) {
      after.delete(rowId(ref));
      continue;
    }
    const claims = new Map(row.claims);
    for (const { name, columns } of tables.get(ref.table)!.uniqueKeys)
      if (columns.some((c) => values[c] !== row.row.values[c])) claims.set(name, { ...LATEST, origin: here });
    after.set(rowId(ref), { row: { ...row.row, values }, claims });
  }
  return after;
}
