import type { Values } from '../change/change.js';
import { rowId } from '../ids.js';
import type { UniqueKey } from '../policy/table-policy.js';
import type { Claim, Claimant } from '../ports/apply-store.js';

/** A parked row lost this key to that row, which shows. */
export interface LostKey {
  readonly key: UniqueKey;
  readonly holder: Claimant;
}

export interface Visibility {
  readonly shown: ReadonlySet<string>;
  /** With all keys that each has lost, in the order of its claims. */
  readonly parked: ReadonlyMap<string, readonly LostKey[]>;
}

/**
 * Which of the virtual rows show (design 6): a function of the rows and their claims alone, never of arrival. The earliest
 * claim of a value has it; with several unique keys the claims are decided greedily in their order, and a row shows when it has
 * all of its own. A row that is parked for one key releases the others: so the decision starts over without it, and a row that
 * had lost only to rows parked later returns in the end. Every parked row has lost to one that shows.
 */
export function visibleRows(rows: readonly Claimant[], keys: readonly UniqueKey[]): Visibility {
  const out = new Set<Claimant>();
  const rest = () => rows.filter((r) => !out.has(r));
  for (let loser = firstLoser(rows, keys); loser !== undefined; loser = firstLoser(rest(), keys)) out.add(loser);
  const parked = lostKeys([...out], holdersOf(rest(), keys), keys);
  return { shown: new Set(rows.map(idOf).filter((id) => !parked.has(id))), parked };
}

/** Those that lost only to rows that are parked themselves come back, in the order of their claims. */
function lostKeys(
  out: readonly Claimant[],
  holders: Map<string, Claimant>,
  keys: readonly UniqueKey[],
): Map<string, readonly LostKey[]> {
  const parked = new Set<Claimant>();
  for (const row of new Set(claimsInOrder(out, keys).map((c) => c.row))) {
    const own = claimsInOrder([row], keys);
    if (own.some(({ claimed }) => holders.has(claimed))) parked.add(row);
    else for (const { claimed } of own) holders.set(claimed, row);
  }
  return new Map(
    [...parked].map((row) => [
      idOf(row),
      claimsInOrder([row], keys).flatMap(({ key, claimed }) => {
        const holder = holders.get(claimed);
        return holder === undefined ? [] : [{ key, holder }];
      }),
    ]),
  );
}

const holdersOf = (rows: readonly Claimant[], keys: readonly UniqueKey[]): Map<string, Claimant> =>
  new Map(claimsInOrder(rows, keys).map(({ claimed, row }) => [claimed, row]));

const idOf = (row: Claimant): string => rowId(row.row.ref);

function firstLoser(rows: readonly Claimant[], keys: readonly UniqueKey[]): Claimant | undefined {
  const taken = new Set<string>();
  for (const { row, claimed } of claimsInOrder(rows, keys)) {
    if (taken.has(claimed)) return row;
    taken.add(claimed);
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
