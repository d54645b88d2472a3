import { ident } from '../../catalog/quoting.js';
import { isRetypable, referringTo, retyped } from './column-type.js';
import type { Examined } from './examined.js';
import type { Alternative } from './table-finding.js';
import type { UsedSequence } from './table-facts.js';
import { uuidv7 } from './uuidv7.js';

/** The number of a row becomes the same UUID in every region, so regions that were equal stay so. */
const numberAsUuid = (column: string): string => `lpad(to_hex(${ident(column)}::bigint), 32, '0')::uuid`;

/** New rows get UUIDs, which no two regions make alike; foreign keys follow. */
export function asUuid(examined: Examined, { column, identity }: UsedSequence): Alternative[] {
  const { table, facts } = examined;
  if (!isRetypable(examined, column)) return [];
  const referring = referringTo(examined, column);
  const { call, sql } = uuidv7(table.schema, facts.version);
  const alter = `ALTER TABLE ${table.name} ALTER COLUMN ${ident(column)}`;
  return [
    {
      text: `UUIDs that rise with time (version 7) instead of numbers; present numbers become UUIDs that are the same in every region${referring.length === 0 ? '' : ', and columns that refer to them follow'}`,
      sql: [
        ...sql,
        ...referring.map((r) => `ALTER TABLE ${r.table} DROP CONSTRAINT ${ident(r.constraint)}`),
        `${alter} ${identity ? 'DROP IDENTITY' : 'DROP DEFAULT'}`,
        retyped(table.name, column, 'uuid', numberAsUuid(column)),
        ...referring.map((r) => retyped(r.table, r.column, 'uuid', numberAsUuid(r.column))),
        `${alter} SET DEFAULT ${call}`,
        ...referring.map((r) => `ALTER TABLE ${r.table} ADD CONSTRAINT ${ident(r.constraint)} ${r.definition}`),
      ],
    },
  ];
}
