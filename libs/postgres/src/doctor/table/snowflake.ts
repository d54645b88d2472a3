import { ident, literal, qualified } from '../../catalog/quoting.js';
import { isRetypable, referringTo, retyped } from './column-type.js';
import type { Examined } from './examined.js';
import { placesOf } from './places.js';
import type { Alternative } from './table-finding.js';
import type { UsedSequence } from './table-facts.js';

/** 2025-01-01, in milliseconds: 41 bits of them reach to 2094. Then 10 bits of region, and 12 of a number in the millisecond. */
const SINCE_MS = 1_735_689_600_000;
const NAME_LENGTH = 63;

/**
 * Numbers made of time, region and a counter. The function asks the database which region it is, so that its definition is the
 * same everywhere; in a region that is not among those named it gives NULL, which a key refuses.
 */
export function asSnowflake(examined: Examined, { column, identity }: UsedSequence): Alternative[] {
  const { table } = examined;
  const type = table.columns.find((c) => c.name === column)!.type;
  const narrow = type !== 'bigint';
  if (narrow && !isRetypable(examined, column)) return [];
  const places = placesOf(examined);
  const name = qualified(table.schema, `${table.relation}_${column}`.slice(0, NAME_LENGTH - 10) + '_snowflake');
  const alter = `ALTER TABLE ${table.name} ALTER COLUMN ${ident(column)}`;
  return [
    {
      text: `numbers made of the time, the region and a counter, which rise with time and need no sharing; for ${places.join(', ')}: make the function anew when a region joins`,
      sql: [
        `CREATE SEQUENCE IF NOT EXISTS ${name} AS bigint MINVALUE 0 MAXVALUE 4095 START WITH 0 CYCLE`,
        definition(name, places),
        `${alter} ${identity ? 'DROP IDENTITY' : 'DROP DEFAULT'}`,
        ...(narrow ? widened(examined, column) : []),
        `${alter} SET DEFAULT ${name}()`,
      ],
    },
  ];
}

const widened = (examined: Examined, column: string): string[] => [
  retyped(examined.table.name, column, 'bigint'),
  ...referringTo(examined, column).map((r) => retyped(r.table, r.column, 'bigint')),
];

/** As its owner: writers need no rights on meridian, nor on the counter. */
const definition = (
  name: string,
  places: readonly string[],
): string => `CREATE OR REPLACE FUNCTION ${name}() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = '' AS $snowflake$
  SELECT ((floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - ${SINCE_MS}) << 22)
       | ((array_position(ARRAY[${places.map(literal).join(', ')}], r.name) - 1)::bigint << 12)
       | nextval(${literal(name)})
    FROM meridian.region r
$snowflake$`;
