import fc from 'fast-check';
import type { ValueOrder } from './table-policy.js';
import { compareValues } from './value-order.js';

describe('the order of values as PostgreSQL writes them', () => {
  it.each<[ValueOrder, readonly (string | null)[]]>([
    [
      'number',
      [
        null,
        '-Infinity',
        '-1e+20',
        '-10.5',
        '-9',
        '-0.001',
        '0',
        '1e-07',
        '0.1',
        '1',
        '9',
        '10.25',
        '1e+300',
        'Infinity',
        'NaN',
      ],
    ],
    [
      'time',
      [
        ...[null, '-infinity', '0100-01-01 00:00:00+00 BC', '0044-03-15 12:00:00+00 BC', '0044-03-15 12:00:00.5+00 BC'],
        ...[
          '0001-01-01 00:00:00+00',
          '1999-12-31 23:59:59.999999+00',
          '2000-01-01 00:00:00+00',
          '12345-01-01 00:00:00+00',
        ],
        'infinity',
      ],
    ],
    ['time', ['0002-02-02 BC', '2026-11-21', '2026-11-22', '2026-12-01', '10000-01-01']],
    ['time', ['2026-11-22 07:06:50', '2026-11-22 07:06:50.45', '2026-11-22 07:06:50.5']],
    ['boolean', [null, 'false', 'true']],
  ])('%s: %j', (order, ascending) => {
    for (const [i, a] of ascending.entries())
      for (const [j, b] of ascending.entries())
        expect([a, b, compareValues(order, a, b)]).toEqual([a, b, Math.sign(i - j)]);
  });

  it('numbers of different spelling are equal', () => {
    for (const [a, b] of [
      ['1.0', '1.00'],
      ['-0', '0'],
      ['1e+2', '100'],
    ] as const)
      expect(compareValues('number', a, b)).toBe(0);
  });

  it('is the order of the numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        expect(compareValues('number', String(a), String(b))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('refuses what is no number', () => {
    expect(() => compareValues('number', 'twelve', '1')).toThrow('"twelve" is no number as PostgreSQL writes it');
  });
});
