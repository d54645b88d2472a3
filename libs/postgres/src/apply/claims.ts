import {
  type ChangeId,
  type Claim,
  type Claimant,
  claimsInLog,
  groupByRow,
  inPresentColumns,
  type RegionId,
  rowId,
  type RowKey,
  type RowRef,
  type RowState,
  type TableName,
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

/** Rows with their claims: parked ones bring them along (but one that is parked for its parent), else they are in the log, else kept, else the earliest. */
export async function withClaims(
  session: Session,
  log: LogEntries,
  table: ApplyTable,
  rows: readonly RowState[],
): Promise<readonly Claimant[]> {
  const refs = rows.map((r) => r.ref);
  const logged = groupByRow((await log.of(refs)).map((e) => inPresentColumns(e, table.spec)));
  const kept = await keptClaims(session, table, rows);
  const parked = await parkedClaims(
    session,
    table,
    rows.filter((r) => r.place === 'parked'),
  );
  return rows.map((row) => {
    const own = parked.get(row.ref.key);
    const known = claimsInLog(table.spec, logged.get(rowId(row.ref)) ?? [], row.values);
    const claims = table.spec.uniqueKeys.map(
      ({ name }) => [name, own?.get(name) ?? known.get(name) ?? kept.get(`${row.ref.key}\n${name}`) ?? null] as const,
    );
    return { row, claims: new Map(claims) };
  });
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

/** By row and unique key. */
export async function keptClaimsOf(
  session: Session,
  rows: readonly RowRef[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Claim>>> {
  const sql = `SELECT c.rel, c.pk, c.unique_key, c.claim
     FROM meridian.claim c JOIN unnest($1::text[], $2::text[]) AS k(rel, pk) ON c.rel = k.rel AND c.pk = k.pk`;
  const { rows: found } = await session.query(
    sql,
    [rows.map((r) => r.table), rows.map((r) => r.key)],
    'kept_claims_of',
  );
  const kept = new Map<string, Map<string, Claim>>();
  for (const [rel, pk, key, stored] of found) {
    const claim = claimOf(JSON.parse(stored!) as StoredClaim);
    const id = rowId({ table: rel as TableName, key: pk as RowKey });
    if (claim !== null) kept.set(id, (kept.get(id) ?? new Map<string, Claim>()).set(key!, claim));
  }
  return kept;
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
