import fc from 'fast-check';
import type { Values } from '../change/change.js';
import { type RowKey, type TableName, changeId, regionId, rowId } from '../ids.js';
import type { UniqueKey } from '../policy/table-policy.js';
import type { Claim, Claimant } from '../ports/apply-store.js';
import { claimedValue, compareClaims, visibleRows } from './unique.js';

const KEYS: readonly UniqueKey[] = [
  { name: 'by_email', columns: ['email'], nullsDistinct: true },
  { name: 'constructor', columns: ['__proto__', 'toString'], nullsDistinct: true },
];

const TABLE = 'public.people' as TableName;

function person(pk: string, values: Values, claims: Readonly<Record<string, Claim | null>>): Claimant {
  return {
    row: { ref: { table: TABLE, key: `["${pk}"]` as RowKey }, place: 'table', values },
    claims: new Map(Object.entries(claims)),
  };
}

const value = fc.constantFrom('a', 'b', 'c', null);
const claim: fc.Arbitrary<Claim | null> = fc.option(
  fc.record({
    stamp: fc.bigInt({ min: 1n, max: 4n }),
    origin: fc.constantFrom('us', 'eu').map(regionId),
    id: fc.integer({ min: 1, max: 4 }).map(changeId),
  }),
  { freq: 9 },
);
const people: fc.Arbitrary<Claimant[]> = fc.uniqueArray(
  fc
    .record({ pk: fc.nat(20).map(String), email: value, first: value, last: value, claims: fc.tuple(claim, claim) })
    .map(({ pk, email, first, last, claims }) =>
      // A computed __proto__ defines a column; only a literal one would set the prototype.
      person(
        pk,
        { email, ['__proto__']: first, toString: last },
        {
          by_email: claims[0],
          constructor: claims[1],
        },
      ),
    ),
  { maxLength: 8, selector: (p) => p.row.ref.key },
);
const id = (p: Claimant): string => rowId(p.row.ref);
const valuesOf = (p: Claimant, keys: readonly UniqueKey[]) =>
  keys.map((key) => claimedValue(key, p.row.values)).filter((v) => v !== null);
const shared = (a: Claimant, b: Claimant, keys: readonly UniqueKey[]) =>
  valuesOf(a, keys).filter((v) => valuesOf(b, keys).includes(v));

describe('laws of unique keys', () => {
  it('what shows is a function of the set of rows: their order does not matter (I6)', () => {
    fc.assert(
      fc.property(
        people.chain((p) => fc.tuple(fc.constant(p), fc.shuffledSubarray(p, { minLength: p.length }))),
        ([some, shuffled]) => expect(visibleRows(shuffled, KEYS)).toEqual(visibleRows(some, KEYS)),
      ),
    );
  });

  it('every row either shows or is parked, and of one value at most one row shows', () => {
    fc.assert(
      fc.property(people, (some) => {
        const { shown, parked } = visibleRows(some, KEYS);
        expect([...shown, ...parked.keys()].sort()).toEqual(some.map(id).sort());
        const claimed = some.filter((p) => shown.has(id(p))).flatMap((p) => valuesOf(p, KEYS));
        expect(new Set(claimed).size).toBe(claimed.length);
      }),
    );
  });

  it('a parked row names a row that shows and holds its value: none waits for a row that is parked itself', () => {
    fc.assert(
      fc.property(people, (some) => {
        const { shown, parked } = visibleRows(some, KEYS);
        for (const [loser, lost] of parked) {
          const row = some.find((p) => id(p) === loser)!;
          expect(lost.length).toBeGreaterThan(0);
          for (const { key, holder } of lost) {
            expect(shown).toContain(id(holder));
            expect(shared(row, holder, [key])).toHaveLength(1);
          }
        }
      }),
    );
  });

  it('with one key the earliest claim of a value shows, a claim the log has forgotten first of all', () => {
    fc.assert(
      fc.property(people, (some) => {
        const [key] = KEYS as [UniqueKey];
        const expected = some.filter((p) =>
          some.every(
            (q) =>
              q === p ||
              shared(p, q, [key]).length === 0 ||
              (compareClaims(p.claims.get(key.name)!, q.claims.get(key.name)!) || (id(p) < id(q) ? -1 : 1)) < 0,
          ),
        );
        expect(visibleRows(some, [key]).shown).toEqual(new Set(expected.map(id)));
      }),
    );
  });

  it('rows that share no value, directly or through others, do not decide over each other', () => {
    fc.assert(
      fc.property(people, people, (a, b) => {
        const elsewhere = b.map(({ row, claims }) => ({
          row: {
            ...row,
            ref: { ...row.ref, key: `other ${row.ref.key}` as RowKey },
            values: Object.fromEntries(
              Object.entries(row.values).map(([c, v]) => [c, v === null ? null : `other ${v}`]),
            ),
          },
          claims,
        }));
        const together = visibleRows([...a, ...elsewhere], KEYS).shown;
        expect(together).toEqual(new Set([...visibleRows(a, KEYS).shown, ...visibleRows(elsewhere, KEYS).shown]));
      }),
    );
  });

  it('a row that is parked for one key frees its others', () => {
    const at = (stamp: bigint): Claim => ({ stamp, origin: regionId('us'), id: changeId(1) });
    const x = person(
      'x',
      { email: 'a', ['__proto__']: 'b', toString: 'b' },
      {
        by_email: at(1n),
        constructor: at(10n),
      },
    );
    const y = person('y', { email: null, ['__proto__']: 'b', toString: 'b' }, { constructor: at(5n) });
    const z = person('z', { email: 'a' }, { by_email: at(7n) });
    const { shown, parked } = visibleRows([x, y, z], KEYS);
    expect([...shown]).toEqual([id(y), id(z)]);
    expect(parked.get(id(x))).toMatchObject([{ holder: z }, { holder: y }]);
  });
});

describe('what a row claims', () => {
  const key = KEYS[0]!;

  it('is nothing for a NULL, unless nulls are not distinct', () => {
    expect(claimedValue(key, { email: null })).toBeNull();
    expect(claimedValue({ ...key, nullsDistinct: false }, { email: null })).toBe(
      claimedValue({ ...key, nullsDistinct: false }, { email: null }),
    );
    expect(claimedValue({ ...key, nullsDistinct: false }, { email: null })).not.toBeNull();
  });

  it('does not mix up columns or keys: ("a", "b") is not ("a,b"), nor the same value of another key', () => {
    const two: UniqueKey = { name: 'two', columns: ['a', 'b'], nullsDistinct: true };
    expect(claimedValue(two, { a: 'x', b: 'y","z' })).not.toBe(claimedValue(two, { a: 'x","y', b: 'z' }));
    expect(claimedValue(key, { email: 'x' })).not.toBe(claimedValue({ ...key, name: 'other' }, { email: 'x' }));
  });
});
