import type { Values } from '../change/change.js';
import { rowId } from '../ids.js';
import type { UniqueKey } from '../policy/table-policy.js';
import type { Claim, Claimant } from '../ports/apply-store.js';

/** A parked row's reason: it lost this key to that row. */
export interface LostKey {
  readonly key: UniqueKey;
  readonly holder: Claimant;
}

export interface Visibility {
  readonly shown: ReadonlySet<string>;
  readonly parked: ReadonlyMap<string, LostKey>;
}

/**
 * Which of the virtual rows show (design 6): a function of the rows and their claims alone, never of arrival. The earliest
 * claim of a value has it; with several unique keys the claims are decided greedily in their order, and a row shows when it has
 * all of its own. A row that is parked for one key releases the others: so the decision starts over without it.
 */
export function visibleRows(rows: readonly Claimant[], keys: readonly UniqueKey[]): Visibility {
  const parked = new Map<string, LostKey>();
  for (;;) {
    const lost = firstLoser(
      rows.filter((r) => !parked.has(idOf(r))),
      keys,
    );
    if (lost === undefined) break;
    parked.set(idOf(lost.loser), { key: lost.key, holder: lost.holder });
  }
  return { shown: new Set(rows.map(idOf).filter((id) => !parked.has(id))), parked };
}

const idOf = (row: Claimant): string => rowId(row.row.ref);

function firstLoser(
  rows: readonly Claimant[],
  keys: readonly UniqueKey[],
): { loser: Claimant; holder: Claimant; key: UniqueKey } | undefined {
  const holders = new Map<string, Claimant>();
  for (const { row, key, claimed } of claimsInOrder(rows, keys)) {
    const holder = holders.get(claimed);
    if (holder !== undefined) return { loser: row, holder, key };
    holders.set(claimed, row);
  }
  return undefined;
}

function claimsInOrder(rows: readonly Claimant[], keys: readonly UniqueKey[]) {
  return rows
    .flatMap((row) =>
      keys.flatMap((key) => {
        const claimed = claimedValue(key, row.row.values);
        return claimed === null ? [] : [{ row, key, claimed, claim: row.claims.get(key.name) ?? null }];
      }),
    )
    .sort(
      (a, b) => compareClaims(a.claim, b.claim) || order(idOf(a.row), idOf(b.row)) || order(a.key.name, b.key.name),
    );
}

/** A claim that the log no longer knows is below the stable cut: the earliest. */
export const compareClaims = (a: Claim | null, b: Claim | null): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return order(a.stamp, b.stamp) || order(a.origin, b.origin) || order(a.id, b.id);
};

/** What a row claims in a unique key, as one comparable text; null when it claims nothing (a NULL among distinct nulls). */
export function claimedValue(key: UniqueKey, values: Values): string | null {
  const parts = key.columns.map((c) => (Object.hasOwn(values, c) ? (values[c] ?? null) : null));
  return key.nullsDistinct && parts.includes(null) ? null : `${key.name}\n${JSON.stringify(parts)}`;
}

const order = <T extends bigint | number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
