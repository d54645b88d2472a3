import fc from 'fast-check';
import { regionId } from '../ids.js';
import { type Share, givings } from './givings.js';

const [ap, eu, us] = ['ap', 'eu', 'us'].map(regionId) as [Share['region'], Share['region'], Share['region']];
const share = (region: Share['region'], amount: string, wanted: string | null = null): Share => ({
  region,
  amount,
  wanted,
});

/** All regions with the same view, in rounds; how many gave anything. */
function untilRest(shares: Share[]): { readonly shares: Share[]; readonly rounds: number } {
  for (let rounds = 0; rounds < 50; rounds++) {
    const gifts = shares.flatMap(({ region }) => givings(region, shares).map((g) => ({ ...g, from: region })));
    if (gifts.length === 0) return { shares, rounds };
    for (const { from, to, amount } of gifts)
      shares = shares.map((s) => {
        const by = s.region === from ? -Number(amount) : s.region === to ? Number(amount) : 0;
        return { ...s, amount: String(Number(s.amount) + by) };
      });
  }
  throw new Error(`no rest: ${JSON.stringify(shares)}`);
}

const anyShares = fc
  .tuple(...[ap, eu, us].map((region) => fc.tuple(fc.constant(region), fc.nat(1_000), fc.option(fc.nat(1_500)))))
  .map((all) =>
    all.map(([region, amount, wanted]) => share(region, String(amount), wanted === null ? null : String(wanted))),
  );

describe('givings', () => {
  it('brings those who have little up to an even share', () => {
    expect(givings(us, [share(ap, '0'), share(eu, '1'), share(us, '9')])).toEqual([
      { to: ap, amount: '3' },
      { to: eu, amount: '2' },
    ]);
  });

  it('leaves it to the richest, and the first by name of equals', () => {
    expect(givings(eu, [share(ap, '0'), share(eu, '6'), share(us, '9')])).toEqual([]);
    expect(givings(us, [share(ap, '0'), share(eu, '6'), share(us, '6')])).toEqual([]);
    expect(givings(eu, [share(ap, '0'), share(eu, '6'), share(us, '6')])).toEqual([{ to: ap, amount: '2' }]);
  });

  it('rests where everybody has half of an even share, and where there is less than one for each', () => {
    expect(givings(us, [share(ap, '2'), share(eu, '2'), share(us, '8')])).toEqual([]);
    expect(givings(us, [share(ap, '0'), share(eu, '0'), share(us, '2')])).toEqual([]);
  });

  it('gives what somebody waits for, and nothing where all together have less', () => {
    expect(givings(us, [share(ap, '0', '2'), share(eu, '0'), share(us, '2')])).toEqual([{ to: ap, amount: '2' }]);
    expect(givings(us, [share(ap, '0', '3'), share(eu, '0'), share(us, '2')])).toEqual([]);
  });

  it('divides to the last digit that the shares have', () => {
    expect(givings(us, [share(ap, '0.00'), share(us, '5.01')])).toEqual([{ to: ap, amount: '2.50' }]);
    expect(givings(us, [share(ap, '0.0', '0.15'), share(us, '5.1')])[0]).toEqual({ to: ap, amount: '0.2' });
  });

  it('comes to rest, makes nothing, and brings nobody below zero', () => {
    fc.assert(
      fc.property(anyShares, (shares) => {
        const sum = (of: Share[]): number => of.reduce((total, s) => total + Number(s.amount), 0);
        const rest = untilRest(shares);
        expect(sum(rest.shares)).toBe(sum(shares));
        expect(rest.shares.every((s) => Number(s.amount) >= 0)).toBe(true);
      }),
    );
  });

  it('lets whoever waits alone have what all together have', () => {
    fc.assert(
      fc.property(anyShares, fc.nat(1_500), (shares, wanted) => {
        const total = shares.reduce((sum, s) => sum + Number(s.amount), 0);
        fc.pre(wanted <= total);
        const { shares: rest } = untilRest(
          shares.map((s) => ({ ...s, wanted: s.region === ap ? String(wanted) : null })),
        );
        expect(Number(rest[0]!.amount)).toBeGreaterThanOrEqual(wanted);
      }),
    );
  });
});
