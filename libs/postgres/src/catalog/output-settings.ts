import type { CatalogColumn } from './catalog-table.js';

/** What the text output of types depends on. Two regions (or two sessions) that differ in one read one text differently. */
export const OUTPUT_SETTINGS = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
} as const;
export type OutputSetting = keyof typeof OUTPUT_SETTINGS;

const ALL = Object.keys(OUTPUT_SETTINGS) as OutputSetting[];

const needs = (settings: readonly OutputSetting[], types: string): [string, readonly OutputSetting[]][] =>
  types.split(' ').map((type) => [`pg_catalog.${type}`, settings]);

/** Of the types that stand here nothing else is needed; a type that does not stand here gets all. */
const NEEDED = new Map<string, readonly OutputSetting[]>([
  ...needs(
    [],
    'bool int2 int4 int8 oid xid xid8 cid tid numeric text varchar bpchar name char uuid json jsonb jsonpath inet cidr ' +
      'macaddr macaddr8 bit varbit tsvector tsquery pg_lsn pg_snapshot txid_snapshot time regclass regtype regproc ' +
      'regprocedure regoper regoperator regrole regnamespace regconfig regdictionary regcollation refcursor aclitem',
  ),
  ...needs(['extra_float_digits'], 'float4 float8 point line lseg box path polygon circle'),
  ...needs(['DateStyle'], 'date timestamp'),
  ...needs(['DateStyle', 'TimeZone'], 'timestamptz timetz'),
  ...needs(['IntervalStyle'], 'interval'),
  ...needs(['bytea_output'], 'bytea'),
  ...needs(['lc_monetary'], 'money'),
  ...needs(['xmloption'], 'xml'),
]);

/** The settings that a capture function has to pin for these columns: each costs a statement some 2 microseconds. */
export function settingsFor(columns: readonly CatalogColumn[]): readonly OutputSetting[] {
  const types = columns.filter((c) => !c.generated).flatMap((c) => c.madeOf);
  const used = new Set(types.flatMap((type) => NEEDED.get(type) ?? ALL));
  return ALL.filter((setting) => used.has(setting));
}
