import {
  type ChangeName,
  covers,
  decideText,
  type Entry,
  inPresentColumns,
  maximal,
  Refused,
  type RegionId,
  type TableSpec,
  textMembers,
  type TextPlace,
  textsOf,
  writesColumn,
} from '@meridian/core';
import { loggedVersions, type LoggedVersion, type LogRow, withValues } from './logged-versions.js';
import type { ReadingTransaction } from './reading-transaction.js';

/** Of a row written a thousand times a second; a text that is older than these is found only as what one of them wrote. */
const MOST_WRITERS = 5_000;

/** One column of one row, with the policy `text`. */
export interface TextColumn extends LogRow {
  readonly column: string;
  readonly spec: TableSpec;
  /** The last epoch of the table's ended enrolments. */
  readonly ended: number;
}

export function requireTextColumn({ table, column, spec }: Pick<TextColumn, 'table' | 'column' | 'spec'>): void {
  const texts = textsOf(spec);
  if (texts.has(column)) return;
  const those = texts.size === 0 ? 'none of its columns has' : `these have: ${[...texts.keys()].join(', ')}`;
  throw new Refused(
    'not_a_text',
    `${table}.${column} has not the policy "text" (${those}): enrol the table with it, or write the column as any other`,
    { table, column },
  );
}

export async function headsOfText(
  reading: ReadingTransaction,
  region: RegionId,
  text: TextColumn,
): Promise<readonly ChangeName[]> {
  const writers = await writersOf(reading, region, text);
  return maximal(writers.map((w) => w.entry)).map(({ origin, id }) => ({ origin, id }));
}

/** As somebody wrote it, or wrote over it; else it was merged, and is again. */
export async function textAt(
  reading: ReadingTransaction,
  region: RegionId,
  text: TextColumn,
  at: TextPlace,
): Promise<string | null> {
  return (await writtenText(reading, text, at)) ?? (await mergedText(reading, region, text, at));
}

const WRITTEN = /* sql */ `
SELECT v.value
  FROM meridian.change c
 CROSS JOIN LATERAL (SELECT value FROM json_each_text(c.patch::json) WHERE key = ANY ($4)
                     UNION ALL SELECT value FROM json_each_text(c.before::json) WHERE key = ANY ($4)) v
 WHERE c.rel = $1 AND c.pk::text = $2 AND c.epoch > $3
   AND encode(sha256(convert_to(coalesce(v.value, ''), 'UTF8')), 'hex') = $5
 LIMIT 1`;

async function writtenText(
  reading: ReadingTransaction,
  { table, key, ended, column, spec }: TextColumn,
  { digest }: TextPlace,
): Promise<string | null> {
  const names = [column, ...spec.renamed.filter(([, name]) => name === column).map(([old]) => old)];
  const [found] = await reading.query(WRITTEN, [table, key, ended, names, digest]);
  return found === undefined ? null : (found[0] ?? '');
}

async function mergedText(
  reading: ReadingTransaction,
  region: RegionId,
  text: TextColumn,
  { digest, heads }: TextPlace,
): Promise<string | null> {
  const writers = await writersOf(reading, region, text);
  const named = writers.filter((w) => heads.some((h) => h.origin === w.entry.origin && h.id === w.entry.id));
  if (named.length < Math.max(heads.length, 1)) return null;
  const seen = writers.filter((w) => named.some((n) => n === w || covers(n.entry, w.entry)));
  const members = textMembers(entriesOf(named), entriesOf(seen));
  const whole = await withValues(
    reading,
    text,
    seen.filter((w) => members.includes(w.entry)),
  );
  const entries = whole.map((w) => inPresentColumns(w.entry, text.spec));
  const { value } = decideText(text.column, textsOf(text.spec).get(text.column)!, entries);
  const [made] = await reading.query(`SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')`, [value ?? '']);
  return made![0] === digest ? (value ?? '') : null;
}

const entriesOf = (versions: readonly LoggedVersion[]): Entry[] => versions.map((v) => v.entry);

async function writersOf(
  reading: ReadingTransaction,
  region: RegionId,
  text: TextColumn,
): Promise<readonly LoggedVersion[]> {
  const window = { upTo: null, most: MOST_WRITERS, valuesOf: [] };
  const versions = await loggedVersions(reading, region, text, text.ended, window);
  return versions
    .filter((v) => !v.waiting)
    .map((v) => ({ ...v, entry: inPresentColumns(v.entry, text.spec) }))
    .filter((v) => writesColumn(text.column, v.entry));
}
