import {
  type ChangeId,
  type Claim,
  type Claimant,
  type Entry,
  inPresentColumns,
  maximal,
  patchOf,
  rankOf,
  type RegionId,
  rowId,
  type RowState,
  type TableSpec,
  type UniqueKey,
  type Values,
  winner,
} from '@meridian/core';
import type { Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';
import type { LogEntries } from './log-entries.js';

type StoredClaim = readonly [stamp: string, origin: string, id: string] | null;

const claimOf = (stored: StoredClaim): Claim | null =>
  stored === null
    ? null
    : { stamp: BigInt(stored[0]), origin: stored[1] as RegionId, id: Number(stored[2]) as ChangeId };

export const parseClaims = (text: string): ReadonlyMap<string, Claim | null> =>
  new Map(Object.entries(JSON.parse(text) as Record<string, StoredClaim>).map(([key, claim]) => [key, claimOf(claim)]));

/**
 * The claim by which a row holds its value of a unique key: the rank of the write that set it, if the log still knows it.
 * Only a write of the value that the row has now can be the one.
 */
function claimInLog(spec: TableSpec, key: UniqueKey, entries: readonly Entry[], values: Values): Claim | null {
  const writes = (e: Entry): boolean => key.columns.some((column) => Object.hasOwn(patchOf(e), column));
  const holding = maximal(entries.filter((e) => e.op !== 'delete' && writes(e))).filter((e) => {
    const patch = patchOf(e);
    return key.columns.every((c) => !Object.hasOwn(patch, c) || patch[c] === values[c]);
  });
  if (holding.length === 0) return null;
  const policy = spec.registers.find((r) => r.columns.includes(key.columns[0]!))?.policy ?? { kind: 'hlc' };
  const set = winner(policy, key.columns, holding);
  const rank = rankOf(set, key.columns[0]);
  return { stamp: rank.stamp, origin: set.origin, id: rank.id };
}

/** Rows with their claims: parked ones bring them along, shown ones have them in the log, else kept, else they are the earliest. */
export async function withClaims(
  session: Session,
  log: LogEntries,
  table: ApplyTable,
  rows: readonly RowState[],
): Promise<readonly Claimant[]> {
  const shown = rows.filter((r) => r.place === 'table');
  const logged = await log.of(shown.map((r) => r.ref));
  const entries = groupByRow(logged.map((e) => inPresentColumns(e, table.spec)));
  const kept = await keptClaims(session, table, shown);
  const parked = await parkedClaims(
    session,
    table,
    rows.filter((r) => r.place === 'parked'),
  );
  return rows.map((row) => {
    if (row.place === 'parked') return { row, claims: parked.get(row.ref.key) ?? new Map() };
    const of = table.spec.uniqueKeys.map((key) => {
      const logged = claimInLog(table.spec, key, entries.get(rowId(row.ref)) ?? [], row.values);
      return [key.name, logged ?? kept.get(`${row.ref.key}\n${key.name}`) ?? null] as const;
    });
    return { row, claims: new Map(of) };
  });
}

function groupByRow(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const id = rowId(entry);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [entry]);
    else group.push(entry);
  }
  return groups;
}

async function keptClaims(
  session: Session,
  table: ApplyTable,
  rows: readonly RowState[],
): Promise<ReadonlyMap<string, Claim | null>> {
  if (rows.length === 0) return new Map();
  const sql = 'SELECT pk, unique_key, claim FROM meridian.claim WHERE rel = $1 AND pk = ANY ($2)';
  const found = await session.query(sql, [table.name, rows.map((r) => r.ref.key)], 'kept_claims');
  return new Map(found.rows.map(([pk, key, claim]) => [`${pk}\n${key}`, claimOf(JSON.parse(claim!) as StoredClaim)]));
}

async function parkedClaims(
  session: Session,
  table: ApplyTable,
  rows: readonly RowState[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Claim | null>>> {
  if (rows.length === 0) return new Map();
  const sql =
    'SELECT pk, claims FROM meridian.parked p WHERE rel = $1 AND pk = ANY ($2) AND NOT meridian.is_overtaken(p)';
  const found = await session.query(sql, [table.name, rows.map((r) => r.ref.key)], 'parked_claims');
  return new Map(found.rows.map(([pk, claims]) => [pk!, parseClaims(claims!)]));
}

/** The log may forget them below the stable cut; a contended key's are needed as long as it is contended. */
export async function keepClaims(session: Session, rows: readonly Claimant[]): Promise<void> {
  const kept = rows.flatMap(({ row, claims }) =>
    [...claims].flatMap(([key, claim]) =>
      claim === null
        ? []
        : [
            {
              rel: row.ref.table,
              pk: row.ref.key,
              unique_key: key,
              claim: [`${claim.stamp}`, claim.origin, `${claim.id}`],
            },
          ],
    ),
  );
  if (kept.length === 0) return;
  await session.query(
    `INSERT INTO meridian.claim (rel, pk, unique_key, claim)
     SELECT DISTINCT ON (rel, pk, unique_key) * FROM json_to_recordset($1::json) AS x(rel text, pk text, unique_key text, claim json)
     ON CONFLICT (rel, pk, unique_key) DO UPDATE SET claim = excluded.claim`,
    [JSON.stringify(kept)],
    'keep_claims',
  );
}
