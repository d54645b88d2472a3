import fc from 'fast-check';
import { addDecimals, negateDecimal } from './decimal.js';

interface Decimal {
  readonly text: string;
  readonly scale: number;
  readonly unscaled: bigint;
}

const decimal: fc.Arbitrary<Decimal> = fc
  .record({
    negative: fc.boolean(),
    whole: fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.bigInt({ min: 0n, max: 10n ** 120n })),
    fraction: fc.stringMatching(/^[0-9]{0,30}$/),
  })
  .map(({ negative, whole, fraction }) => ({
    text: `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`,
    scale: fraction.length,
    unscaled: BigInt(`${whole}${fraction}`) * (negative ? -1n : 1n),
  }));

/** Back to a rational: numerator over 10^scale. */
function read(text: string): { readonly scale: number; readonly unscaled: bigint } {
  const scale = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
  return { scale, unscaled: BigInt(text.replace('.', '')) };
}

describe('laws of decimal addition, against rationals', () => {
  it('the sum is exact, and its scale is the larger one, as in PostgreSQL', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const sum = read(addDecimals(a.text, b.text));
        const scale = Math.max(a.scale, b.scale);
        expect(sum.scale).toBe(scale);
        expect(sum.unscaled).toBe(
          a.unscaled * 10n ** BigInt(scale - a.scale) + b.unscaled * 10n ** BigInt(scale - b.scale),
        );
      }),
    );
  });

  it('a sum reads like a number of PostgreSQL: no negative zero, no needless zero in front', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const sum = addDecimals(a.text, b.text);
        expect(sum).toMatch(/^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/);
        expect(sum).not.toMatch(/^-[0.]*$/);
      }),
    );
  });

  it('differences add up in any order and grouping, as counters need', () => {
    fc.assert(
      fc.property(decimal, decimal, decimal, (a, b, c) => {
        expect(addDecimals(a.text, b.text)).toBe(addDecimals(b.text, a.text));
        expect(addDecimals(addDecimals(a.text, b.text), c.text)).toBe(addDecimals(a.text, addDecimals(b.text, c.text)));
      }),
    );
  });

  it('a number and its negation cancel out', () => {
    fc.assert(fc.property(decimal, (a) => expect(read(addDecimals(a.text, negateDecimal(a.text))).unscaled).toBe(0n)));
  });

  it.each(['NaN', 'Infinity', '', '1e5', '.5', '5.', '0x10', ' 1', '1 '])('refuses "%s"', (text) => {
    expect(() => addDecimals(text, '1')).toThrow(RangeError);
    expect(() => addDecimals('1', text)).toThrow(RangeError);
  });
});
