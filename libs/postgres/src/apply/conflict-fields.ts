import type { ConflictRecord } from '@meridian/core';

/** A column of meridian.conflict, as a record goes into it. */
interface Field {
  readonly column: string;
  /** The record's value on its way, as text. */
  readonly of: (record: ConflictRecord) => string;
  /** What SQL makes of that text. */
  readonly value: (text: string) => string;
  /** Of a record that is told anew. */
  readonly follows: boolean;
}

const name = (column: string, of: Field['of']): Field => ({ column, of, value: (text) => text, follows: false });
/** Whatever is in it. */
const text = (column: string, of: Field['of'], follows: boolean): Field => ({
  ...{ column, of: (record) => JSON.stringify(of(record)), follows },
  value: (given) => `${given}::json #>> '{}'`,
});
const json = (column: string, of: (record: ConflictRecord) => object | null): Field => ({
  ...{ column, of: (record) => JSON.stringify(of(record)), follows: true },
  value: (given) => `${given}::json`,
});

const FIELDS: readonly Field[] = [
  name('id', (r) => r.id),
  text('rel', (r) => r.table, false),
  name('pk', (r) => r.key),
  text('kind', (r) => r.kind, true),
  text('region', (r) => r.region, false),
  text('status', (r) => r.status, true),
  json('loser', (r) => r.loser),
  json('versions', (r) => r.versions),
  json('base', (r) => r.base),
  json('overwritten', (r) => r.overwritten),
  json('result', (r) => r.result),
  text('reason', (r) => r.reason, true),
];

export const FIELD_COLUMNS = FIELDS.map(({ column }) => column);
/** What is not settled with the record's id. */
export const FOLLOWING_COLUMNS = FIELDS.filter(({ follows }) => follows).map(({ column }) => column);

/**
 * Fields between separators, of which PostgreSQL makes a row in half the time that it takes json_to_recordset (measured): neither
 * JSON nor an id has such a character. JSON's null is SQL's NULL, which is what a column that says nothing has.
 */
const [BETWEEN_FIELDS, BETWEEN_RECORDS] = ['\u001f', '\u001e'];

export const recordText = (record: ConflictRecord): string => FIELDS.map(({ of }) => of(record)).join(BETWEEN_FIELDS);

export const recordsText = (texts: readonly string[]): string => texts.join(BETWEEN_RECORDS);

/** The records that a parameter tells ({@link recordsText}), with the columns {@link FIELD_COLUMNS}. */
export const recordsOf = (parameter: string): string => /* sql */ `
  SELECT ${FIELDS.map(({ column, value }, i) => `${value(`f[${i + 1}]`)} AS ${column}`).join(', ')}
    FROM (SELECT string_to_array(t, E'\\x1f', 'null') AS f FROM string_to_table(${parameter}, E'\\x1e') AS t OFFSET 0) fields`;
