import {
  type ApplyTransaction,
  type Claim,
  type Claimant,
  type JsonText,
  type LostKey,
  type ParkReason,
  type RowEffect,
  type RowRef,
  type RowState,
  type TableSpec,
  type UniqueKey,
  type Values,
  claimedValue,
  claimsInLog,
  inPresentColumns,
  mergePatch,
  rowId,
  valuesText,
  visibleRows,
  groupByRow,
} from '@meridian/core';
import type { RowOutcome } from './row-outcome.js';

/** What the unique keys make of one table's part of a batch. */
export interface UniqueDecision {
  /** Rows that contend and are not held yet: lock them too, and take the batch again. */
  readonly toLock: readonly RowRef[];
  /** Replaces the outcomes' effects by `rowId`; null: nothing is to be written for this row. */
  readonly effects: ReadonlyMap<string, readonly RowEffect[]>;
  /** Every row whose claims must outlive the log while its key is contended. */
  readonly contended: readonly Claimant[];
}

const UNCHANGED: UniqueDecision = { toLock: [], effects: new Map(), contended: [] };

/**
 * Which virtual rows show once this batch is in (design 6, unique keys). Nearly always nobody else claims a value that the
 * batch writes, and its effects stand as they are; the price of knowing is one query per unique key.
 */
export async function decideUniqueKeys(
  tx: ApplyTransaction,
  spec: TableSpec,
  outcomes: readonly RowOutcome[],
  held: ReadonlyMap<string, unknown>,
): Promise<UniqueDecision> {
  const claiming = await claimingRows(tx, spec, outcomes);
  if (claiming.size === 0) return UNCHANGED;
  const gone = new Set(outcomes.filter((o) => o.effect?.kind === 'delete').map((o) => rowId(o.ref)));
  const { rows, holders } = await connectedRows(tx, spec, claiming, gone);
  bringUpToDate(rows, claiming, spec, outcomes);
  const visible = visibleRows([...rows.values()], spec.uniqueKeys);
  const parkedNow = [...rows.values()].filter((r) => r.row.place === 'parked');
  if (visible.parked.size === 0 && parkedNow.length === 0)
    return { ...UNCHANGED, effects: freedFirst(spec, outcomes, claiming, rows, holders) };
  const toLock = [...rows.values()]
    .map((r) => r.row.ref)
    .filter((ref) => !held.has(rowId(ref)) && !claiming.has(rowId(ref)));
  if (toLock.length > 0) return { ...UNCHANGED, toLock };
  const effects = new Map<string, readonly RowEffect[]>(freedFirst(spec, outcomes, claiming, rows, holders));
  for (const [id, row] of rows) {
    const lost = visible.parked.get(id);
    const next = lost === undefined ? shownEffects(row) : [parkEffect(row, lostTo(lost))];
    if (next !== null) effects.set(id, next);
  }
  return { toLock: [], effects, contended: [...rows.values()] };
}

/** The batch may also change a connected row that does not claim anew: if that row is parked now, it is parked with the change. */
function bringUpToDate(
  rows: Map<string, Claimant>,
  claiming: ReadonlyMap<string, Claimant>,
  spec: TableSpec,
  outcomes: readonly RowOutcome[],
): void {
  for (const { ref, effect, after } of outcomes) {
    const found = rows.get(rowId(ref));
    if (found === undefined || effect === null || claiming.has(rowId(ref))) continue;
    const values = after ?? updatedValues(spec, found.row.values, effect);
    rows.set(rowId(ref), { ...found, row: { ...found.row, values } });
  }
}

/** Parked rows of a table without unique keys that a batch writes show again, unless their parent is still missing (foreign keys decide). */
export async function showWritten(
  tx: ApplyTransaction,
  spec: TableSpec,
  outcomes: readonly RowOutcome[],
): Promise<ReadonlyMap<string, readonly RowEffect[]>> {
  const written = outcomes.filter((o) => o.place === 'parked' && o.effect !== null && o.effect.kind !== 'delete');
  const present = written.length === 0 ? new Map<string, RowState>() : await tx.read(written.map((o) => o.ref));
  return new Map(
    written.map(({ ref, effect, after }) => {
      const values = after ?? updatedValues(spec, present.get(rowId(ref))?.values ?? {}, effect!);
      return [
        rowId(ref),
        [
          { ...ref, kind: 'unpark' },
          { ...ref, kind: 'insert', values: valuesText(values) },
        ],
      ];
    }),
  );
}

/** A parked row that shows again; null: it shows already, its effect stands. */
const shownEffects = ({ row }: Claimant): RowEffect[] | null =>
  row.place === 'table'
    ? null
    : [
        { ...row.ref, kind: 'unpark' },
        { ...row.ref, kind: 'insert', values: valuesText(row.values) },
      ];

/** Its first claim that was lost, and the others. */
export function lostTo(lost: readonly LostKey[]): ParkReason {
  const [first, ...others] = lost.map(({ key, holder }) => ({ constraint: key.name, other: holder.row.ref }));
  return { kind: 'unique_key', ...first!, ...(others.length === 0 ? {} : { also: others }) };
}

export const parkEffect = (row: Claimant, because: ParkReason): RowEffect => ({
  ...row.row.ref,
  kind: 'park',
  values: valuesText(row.row.values),
  claims: claimsText(row.claims),
  because,
});

const claimsText = (claims: ReadonlyMap<string, Claim | null>): JsonText =>
  JSON.stringify(
    Object.fromEntries(
      [...claims].map(([key, c]) => [key, c === null ? null : [String(c.stamp), c.origin, String(c.id)]]),
    ),
  ) as JsonText;

/** The batch's rows that claim something: new or restored ones, ones whose key columns it writes, parked ones it changes. */
async function claimingRows(
  tx: ApplyTransaction,
  spec: TableSpec,
  outcomes: readonly RowOutcome[],
): Promise<Map<string, Claimant>> {
  const relevant = outcomes.filter(
    ({ effect, place, claims }) =>
      effect !== null &&
      effect.kind !== 'delete' &&
      (place === 'parked' || claims.size > 0 || effect.kind === 'insert' || effect.kind === 'replace'),
  );
  const unknown = relevant.filter((o) => o.after === null);
  const present = unknown.length === 0 ? new Map<string, RowState>() : await tx.read(unknown.map((o) => o.ref));
  const restored = relevant.filter((o) => o.place === null && spec.uniqueKeys.some((key) => !o.claims.has(key.name)));
  const logged = restored.length === 0 ? [] : await tx.entriesOf(restored.map((o) => o.ref));
  const log = groupByRow(logged.map((e) => inPresentColumns(e, spec)));
  const kept = restored.length === 0 ? NONE_KEPT : await tx.keptClaims(restored.map((o) => o.ref));
  return new Map(
    relevant.map((o) => {
      const id = rowId(o.ref);
      const values = o.after ?? updatedValues(spec, present.get(id)?.values ?? {}, o.effect!);
      const claims = new Map([...(kept.get(id) ?? []), ...claimsInLog(spec, log.get(id) ?? [], values), ...o.claims]);
      return [id, { row: { ref: o.ref, place: o.place ?? 'table', values }, claims }];
    }),
  );
}

const NONE_KEPT: ReadonlyMap<string, ReadonlyMap<string, Claim>> = new Map();

/** The whole row after an effect on `present`. */
export function updatedValues(spec: TableSpec, present: Values, effect: RowEffect): Values {
  if (effect.kind === 'insert' || effect.kind === 'replace') return JSON.parse(effect.values) as Values;
  if (effect.kind !== 'update') return present;
  const counters = effect.counters === 'add' ? new Set(spec.counters) : new Set<string>();
  return mergePatch(present, JSON.parse(effect.values) as Values, counters);
}

interface Connected {
  readonly rows: Map<string, Claimant>;
  /** Who holds a claimed value in the table before the batch: claimed value → row ids. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
}

/** The closure over shared values: rows that claim what these claim, and what those claim, in the table and parked. */
export async function connectedRows(
  tx: ApplyTransaction,
  spec: TableSpec,
  start: ReadonlyMap<string, Claimant>,
  gone: ReadonlySet<string>,
): Promise<Connected> {
  const rows = new Map(start);
  const holders = new Map<string, string[]>();
  const asked = new Set<string>();
  for (;;) {
    let grown = false;
    for (const key of spec.uniqueKeys) {
      const values = unasked(key, rows.values(), asked);
      if (values.length === 0) continue;
      for (const found of await tx.claimants(spec.name, key.name, values)) {
        grown = true;
        const id = rowId(found.row.ref);
        const claimed = claimedValue(key, found.row.values);
        if (claimed !== null && found.row.place === 'table')
          holders.set(claimed, [...(holders.get(claimed) ?? []), id]);
        if (gone.has(id)) continue;
        const own = start.get(id);
        rows.set(id, own === undefined ? found : { ...own, claims: new Map([...found.claims, ...own.claims]) });
      }
    }
    if (!grown) return { rows, holders };
  }
}

function unasked(key: UniqueKey, rows: Iterable<Claimant>, asked: Set<string>): Values[] {
  const values: Values[] = [];
  for (const { row } of rows) {
    const claimed = claimedValue(key, row.values);
    if (claimed === null || asked.has(claimed)) continue;
    asked.add(claimed);
    values.push(Object.fromEntries(key.columns.map((c) => [c, row.values[c] ?? null])));
  }
  return values;
}

/** A unique value that moves from row to row inside the batch: its holder is deleted first and inserted again last. */
function freedFirst(
  spec: TableSpec,
  outcomes: readonly RowOutcome[],
  claiming: ReadonlyMap<string, Claimant>,
  rows: ReadonlyMap<string, Claimant>,
  holders: ReadonlyMap<string, readonly string[]>,
): Map<string, readonly RowEffect[]> {
  const moving = new Set<string>();
  for (const [id, row] of rows)
    for (const key of spec.uniqueKeys)
      for (const holder of holders.get(claimedValue(key, row.row.values) ?? '') ?? [])
        if (holder !== id) moving.add(holder);
  const effects = new Map<string, readonly RowEffect[]>();
  for (const { ref, effect } of outcomes) {
    const row = claiming.get(rowId(ref));
    if (effect?.kind === 'update' && row !== undefined && moving.has(rowId(ref)))
      effects.set(rowId(ref), [{ ...ref, kind: 'replace', values: valuesText(row.row.values) }]);
  }
  return effects;
}
