import type { ValueOrder } from './table-policy.js';

/**
 * Compares two values as PostgreSQL writes them (DateStyle ISO). NULL is less than every value. Equal ones are 0, also where
 * their texts differ (1.0 and 1.00).
 */
export function compareValues(order: ValueOrder, a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  switch (order) {
    case 'number':
      return compareNumbers(a, b);
    case 'time':
      return compareTimes(a, b);
    case 'json':
      return compareValues('number', numberIn(a), numberIn(b));
    case 'boolean':
      return sign(Number(a === 'true'), Number(b === 'true'));
  }
}

/** As PostgreSQL sorts numerics and floats: NaN above infinity. */
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['-Infinity', -1],
  ['Infinity', 1],
  ['NaN', 2],
]);

const numberIn = (leaf: string): string | null => (NUMBER.test(leaf) && leaf !== '' ? leaf : null);

function compareNumbers(a: string, b: string): number {
  const [x, y] = [SPECIAL.get(a) ?? 0, SPECIAL.get(b) ?? 0];
  return x !== 0 || y !== 0 ? sign(x, y) : compareDecimals(decimalOf(a), decimalOf(b));
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const NUMBER = /^([+-]?\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

function decimalOf(text: string): Decimal {
  const match = NUMBER.exec(text);
  if (match === null) throw new RangeError(`"${text}" is no number as PostgreSQL writes it`);
  const [, whole = '', fraction = '', exponent = '0'] = match;
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const least = Math.min(a.exponent, b.exponent);
  const scaled = ({ digits, exponent }: Decimal): bigint => digits * 10n ** BigInt(exponent - least);
  return sign(scaled(a), scaled(b));
}

/** `[year, rest]`: years have four digits or more and, before Christ, a BC behind everything. */
function compareTimes(a: string, b: string): number {
  const [x, y] = [INFINITIES.get(a) ?? 0, INFINITIES.get(b) ?? 0];
  if (x !== 0 || y !== 0) return sign(x, y);
  return sign(yearOf(a), yearOf(b)) || sign(restOf(a), restOf(b));
}

const INFINITIES: ReadonlyMap<string, number> = new Map([
  ['-infinity', -1],
  ['infinity', 1],
]);

const yearOf = (time: string): number => Number(time.slice(0, time.indexOf('-'))) * (time.endsWith(' BC') ? -1 : 1);

/** Month to fraction of a second, in digits of fixed places; the time zone is always UTC. */
const restOf = (time: string): string => time.slice(time.indexOf('-')).replace(/(?:\+00)?(?: BC)?$/, '');

const sign = <T extends bigint | number | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
