/**
 * Exact addition of decimal numbers as PostgreSQL writes integers and numerics (`-12`, `1.50`): counters' differences are
 * folded without passing through a floating-point number. The scale of the sum is the larger scale, as in PostgreSQL.
 */
export function addDecimals(a: string, b: string): string {
  const scale = Math.max(scaleOf(a), scaleOf(b));
  return printDecimal(unscaled(a, scale) + unscaled(b, scale), scale);
}

export const negateDecimal = (a: string): string => printDecimal(-unscaled(a, scaleOf(a)), scaleOf(a));

const DECIMAL = /^[+-]?\d+(?:\.(\d+))?$/;

/** Digits behind the point. */
export function scaleOf(text: string): number {
  const match = DECIMAL.exec(text);
  if (match === null)
    throw new RangeError(`"${text}" is no decimal number: a counter holds integers and finite numerics only`);
  return match[1]?.length ?? 0;
}

/** In units of the last digit at this scale, which is no smaller than the text's own. */
export const unscaled = (text: string, scale: number): bigint =>
  BigInt(text.replace('.', '').replace('+', '') + '0'.repeat(scale - scaleOf(text)));

/** The decimal number of so many units. */
export function printDecimal(value: bigint, scale: number): string {
  if (scale === 0) return value.toString();
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
