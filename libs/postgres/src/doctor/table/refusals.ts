import { parseTableName } from '@meridian/core';
import { ident } from '../../catalog/quoting.js';
import type { EnrolmentCode, EnrolmentProblem } from '../../catalog/refusal.js';
import { isBuiltIn } from '../../catalog/value-text.js';
import type { Examined } from './examined.js';
import { primaryKeyCure } from './primary-key.js';
import type { Cure, TableFinding } from './table-finding.js';
import { withoutUniqueKey } from './unique-keys.js';

/** Every reason for which `PUT /v1/tables/…` would refuse the table, with the statements that mend it. */
export function refusals(examined: Examined): TableFinding[] {
  return examined.problems.map((found) => ({
    ...{ code: found.code, severity: 'error' as const, subject: examined.table.name, message: found.message },
    meaning: meaningOf(found, examined),
    cure: cureOf(found, examined),
  }));
}

function meaningOf({ code }: EnrolmentProblem, { enrolled }: Examined): string {
  const refused =
    enrolled === undefined
      ? 'enrolling the table is refused as long as this stands'
      : 'the table is enrolled, and would be refused as it is now: its changes may wait, or not be captured';
  const because = MEANINGS[code];
  return because === undefined ? refused : `${because}; ${refused}`;
}

const MEANINGS: Readonly<Partial<Record<EnrolmentCode, string>>> = {
  unsupported_relation: 'only permanent, ordinary or partitioned tables hold rows that can be logged and applied',
  not_owner: 'capture is triggers on the table, which its owner alone may make',
  no_primary_key: 'an update or delete that arrives could not find its row',
  unsupported_key_type: 'one row would have two names in the log',
  unsupported_unique_key: 'apply cannot tell which rows claim the same value',
  unsupported_constraint: 'a row of one region could be refused in another',
  unsupported_foreign_key: 'parents are held by their primary key while a child is applied',
  parent_not_enrolled: 'children would arrive before their parents, or without',
  referrer_not_readable: 'apply looks for children before it deletes a parent, for no foreign key is checked for it',
  unsupported_key_sequence: 'two regions would give new rows the same key, and one key is one row everywhere',
  row_security: 'apply would write rows that it cannot read again',
  replica_role_missing: "users' triggers would run once more in every region that a change reaches",
  bad_counter: 'a sum of differences could be a value that no region wrote',
  schema_not_usable: 'apply cannot reach the table',
};

function cureOf(found: EnrolmentProblem, examined: Examined): Cure {
  if (found.code === 'no_primary_key') return primaryKeyCure(examined);
  const sql = SQL[found.code]?.(examined, found.message) ?? [];
  if (found.code === 'parent_not_enrolled')
    return { text: found.cure, alternatives: [{ text: 'do without the foreign key, in every region', sql }] };
  return sql.length === 0 ? { text: found.cure } : { text: found.cure, sql };
}

/** A problem tells in words what it is about; each name stands there in quotes. */
const tells = (message: string, name: string): boolean => message.includes(`"${name}"`);

type Statements = (examined: Examined, message: string) => readonly string[];

const SQL: Readonly<Partial<Record<EnrolmentCode, Statements>>> = {
  unsupported_relation: ({ table, facts }) => {
    if (table.persistence === 'u') return [`ALTER TABLE ${table.name} SET LOGGED`];
    if (facts.foreignPartitions.length > 0)
      return facts.foreignPartitions.map(([part, parent]) => `ALTER TABLE ${parent} DETACH PARTITION ${part}`);
    return facts.inheritance.map(([child, parent]) => `ALTER TABLE ${child} NO INHERIT ${parent}`);
  },
  not_owner: ({ table, facts }, message) => {
    const sequence = facts.sequences.find((s) => message.includes(s.name));
    if (sequence === undefined) return [`ALTER TABLE ${table.name} OWNER TO ${facts.me}`];
    return [`ALTER SEQUENCE ${sequence.name} OWNER TO ${facts.me}`];
  },
  unsupported_key_type: ({ table }, message) =>
    table.columns
      .filter((c) => tells(message, c.name) && !c.generated)
      .flatMap((c) => {
        const to = FLOATS.some((type) => isBuiltIn(c, type)) ? 'numeric' : TEXTS.has(c.base.name) ? PLAIN_TEXT : null;
        return to === null ? [] : [`ALTER TABLE ${table.name} ALTER COLUMN ${ident(c.name)} TYPE ${to}`];
      }),
  unsupported_unique_key: (examined, message) => {
    const key = examined.table.indexes.find((i) => tells(message, i.name));
    return key === undefined ? [] : withoutUniqueKey(examined, key);
  },
  unsupported_constraint: dropTold,
  unsupported_foreign_key: dropTold,
  parent_not_enrolled: dropTold,
  referrer_not_readable: ({ table, place }, message) => {
    const referrer = table.referrers.find((r) => tells(message, r.constraint) && message.startsWith(r.table));
    if (referrer === undefined) return [];
    const role = ident(place.applyRole);
    return [
      `GRANT USAGE ON SCHEMA ${ident(parseTableName(referrer.table).schema)} TO ${role}`,
      `GRANT SELECT (${referrer.columns.map(ident).join(', ')}) ON ${referrer.table} TO ${role}`,
    ];
  },
  unsupported_key_sequence: ({ table, facts }, message) => {
    const found = facts.sequences.find((s) => message.includes(s.name));
    if (found === undefined) return [];
    const { name, column } = found;
    if (found.cyclic) return [`ALTER SEQUENCE ${name} NO CYCLE`];
    const next = `SELECT greatest(coalesce(max(${ident(column)}), 0) + 1, 1) FROM ${table.name}`;
    return [
      `ALTER SEQUENCE ${name} INCREMENT BY 1 NO MINVALUE NO MAXVALUE START WITH 1 RESTART WITH 1`,
      `SELECT setval('${name.replaceAll("'", "''")}', (${next}), false)`,
    ];
  },
  row_security: ({ place }) => [`ALTER ROLE ${ident(place.applyRole)} BYPASSRLS`],
  replica_role_missing: ({ place }) => [`GRANT SET ON PARAMETER session_replication_role TO ${ident(place.applyRole)}`],
  schema_not_usable: ({ table, place }) => [
    `GRANT USAGE ON SCHEMA ${ident(table.schema)} TO ${ident(place.applyRole)}`,
  ],
  bad_counter: (examined, message) => {
    const { table } = examined;
    const dropped = dropTold(examined, message);
    const column = table.columns.find((c) => message.startsWith(`"${c.name}" is`) || tells(message, c.name));
    if (dropped.length > 0 || column === undefined) return dropped;
    const name = ident(column.name);
    if (!message.includes('NULL')) return [`ALTER TABLE ${table.name} ALTER COLUMN ${name} TYPE numeric`];
    return [
      `UPDATE ${table.name} SET ${name} = 0 WHERE ${name} IS NULL`,
      `ALTER TABLE ${table.name} ALTER COLUMN ${name} SET NOT NULL`,
    ];
  },
};

const FLOATS = ['float4', 'float8'];
const TEXTS: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'citext']);
const PLAIN_TEXT = 'text COLLATE pg_catalog."C"';

function dropTold({ table, facts }: Examined, message: string): string[] {
  const constraints = facts.constraints.filter((c) => c.kind !== 'p' && tells(message, c.name));
  if (constraints.length > 0)
    return constraints.map((c) => `ALTER TABLE ${table.name} DROP CONSTRAINT ${ident(c.name)}`);
  return facts.uniqueIndexes.filter((i) => !i.constraint && tells(message, i.name)).map((i) => `DROP INDEX ${i.index}`);
}
