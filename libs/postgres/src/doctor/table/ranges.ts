import { ident, literal } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import { placesOf } from './places.js';
import type { Alternative } from './table-finding.js';
import type { UsedSequence } from './table-facts.js';

/** Less is no range: a region of a busy table would soon be at its end. */
const LEAST = 1_000_000n;

/** Each region numbers between bounds of its own. One statement for all: it asks the database which region it is. */
export function byRange(examined: Examined, { name, column, max }: UsedSequence): Alternative[] {
  const places = placesOf(examined);
  const width = BigInt(max) / BigInt(places.length);
  if (width < LEAST) return [];
  const bounds = places.map((region, i) => {
    return `(${literal(region)}, ${BigInt(i) * width + 1n}::bigint, ${BigInt(i + 1) * width}::bigint)`;
  });
  const value = ident(column);
  const alter = `ALTER SEQUENCE ${name} MINVALUE %1$s MAXVALUE %2$s START WITH %1$s RESTART WITH %3$s`;
  return [
    {
      text: `a range of ${width} numbers for each of ${places.join(', ')}: keys then tell their region`,
      sql: [
        `DO $ranges$
DECLARE
  own record;
BEGIN
  SELECT p.* INTO STRICT own FROM meridian.region r JOIN (VALUES ${bounds.join(', ')}) AS p(region, low, high) ON p.region = r.name;
  EXECUTE format(${literal(alter)}, own.low, own.high,
    (SELECT coalesce(max(${value}) + 1, own.low) FROM ${examined.table.name} WHERE ${value} BETWEEN own.low AND own.high));
END $ranges$`,
      ],
    },
  ];
}
