import { addDecimals, negateDecimal } from '../change/decimal.js';
import { type Values, onlyColumns, valueIn } from '../change/change.js';
import { leavesOf, pathId } from '../merge/json-leaves.js';
import { Refused } from '../rows/refusal.js';
import { type InForce, type Lost, lostUnder, type Part, withParts } from './lost-parts.js';
import { isKeyAct, remedyOfKeyAct } from './lost-row.js';
import type { ConflictRecord, ConflictVersion, Overwritten } from './record.js';

/** What a person wants of a conflict. */
export type Choice =
  /** The row stays as it is. */
  | { readonly kind: 'accept' }
  /** What the overwritten change wrote goes back. */
  | { readonly kind: 'undo' }
  | { readonly kind: 'version'; readonly version: VersionChoice; readonly columns: readonly string[] | null }
  | { readonly kind: 'value'; readonly values: Values };

export type VersionChoice =
  /** Its place among the record's versions. */
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'change'; readonly origin: string; readonly id: number }
  /** That region's last one. */
  | { readonly kind: 'origin'; readonly origin: string };

/** What is to become of the row. */
export type Remedy =
  | { readonly kind: 'leave' }
  | { readonly kind: 'delete' }
  /** `whole`: the row to insert when it is not there; null: it is not known. */
  | {
      readonly kind: 'write';
      readonly values: Values;
      readonly whole: Values | null;
      readonly parts?: readonly Part[];
    };

/** The row write of a decision: what it wrote over, and what it wrote; null: no row. */
export interface Written {
  readonly before: Values | null;
  readonly after: Values | null;
}

/** The write that a remedy takes on the row as it is. */
export type RemedyWrite =
  | { readonly kind: 'none' }
  | { readonly kind: 'insert' | 'update'; readonly values: Values; readonly written: Written }
  | { readonly kind: 'delete'; readonly written: Written };

export function remedyOf(record: ConflictRecord, choice: Choice, now: InForce): Remedy {
  switch (choice.kind) {
    case 'accept':
      return { kind: 'leave' };
    case 'undo':
      return isKeyAct(record) ? remedyOfKeyAct(record) : versionRemedy(record, record.loser, null, now);
    case 'version':
      return versionRemedy(record, chosenVersion(record, choice.version), choice.columns, now);
    case 'value':
      return { kind: 'write', values: choice.values, whole: wholeRow(record, record.loser, choice.values, now) };
  }
}

/** Of a decision that wrote: the row as it held before. What others wrote to other columns since then stays. */
export function reversalOf({ before, after }: Written, present: Values | null, counters: readonly string[]): Remedy {
  if (before === null) return { kind: 'delete' };
  if (after === null) return { kind: 'write', values: before, whole: before };
  const values = Object.entries(before).map(([column, value]) => [
    column,
    counters.includes(column) && present !== null
      ? takenBack(value ?? '0', valueIn(after, column) ?? '0', valueIn(present, column) ?? '0')
      : value,
  ]);
  return { kind: 'write', values: Object.fromEntries(values) as Values, whole: null };
}

/** A counter goes back by the difference: increments since then count. */
const takenBack = (before: string, after: string, present: string): string =>
  addDecimals(present, addDecimals(before, negateDecimal(after)));

export function writeOf(remedy: Remedy, present: Values | null, keyColumns: readonly string[]): RemedyWrite {
  switch (remedy.kind) {
    case 'leave':
      return { kind: 'none' };
    case 'delete':
      return present === null ? { kind: 'none' } : { kind: 'delete', written: { before: present, after: null } };
    case 'write':
      return present === null
        ? insertOf(remedy.whole)
        : updateOf({ ...without(remedy.values, keyColumns), ...withParts(remedy.parts ?? [], present) }, present);
  }
}

function insertOf(whole: Values | null): RemedyWrite {
  if (whole === null)
    throw new Refused(
      'row_not_found',
      'the row has been deleted since, and the record does not hold all of it: insert it anew under /v1/data, then accept the conflict',
    );
  return { kind: 'insert', values: whole, written: { before: null, after: whole } };
}

function updateOf(values: Values, present: Values): RemedyWrite {
  const columns = Object.keys(values);
  if (columns.every((c) => Object.hasOwn(present, c) && present[c] === values[c])) return { kind: 'none' };
  return { kind: 'update', values, written: { before: onlyColumns(present, columns), after: values } };
}

/** In the order in which the record shows them. */
export function chosenVersion(record: ConflictRecord, choice: VersionChoice): ConflictVersion {
  const version = matching(record.versions, choice);
  if (version === undefined)
    throw unresolvable(
      `the conflict has no such version: it has ${record.versions.map((v, i) => `${i} (origin ${v.origin}, id ${v.id})`).join(', ')}`,
    );
  return version;
}

function matching(versions: readonly ConflictVersion[], choice: VersionChoice): ConflictVersion | undefined {
  switch (choice.kind) {
    case 'index':
      return versions[choice.index];
    case 'change':
      return versions.find((v) => v.origin === choice.origin && v.id === choice.id);
    case 'origin':
      return versions
        .filter((v) => v.origin === choice.origin)
        .sort((a, b) => (BigInt(a.stamp) < BigInt(b.stamp) ? -1 : 1))
        .at(-1);
  }
}

function versionRemedy(
  record: ConflictRecord,
  version: ConflictVersion,
  columns: readonly string[] | null,
  now: InForce,
): Remedy {
  if (version.op === 'delete') {
    if (columns !== null) throw unresolvable('this version is a delete, which has no columns: leave "columns" out');
    return { kind: 'delete' };
  }
  const offered = offeredBy(record, version, now);
  const { values, parts } =
    columns === null ? contestedBy(record, version, offered, now) : { values: named(columns, offered), parts: [] };
  if (Object.keys(values).length + parts.length === 0 && !isGone(record))
    throw unresolvable('this version wrote none of the contested columns: choose another, or send a value');
  return { kind: 'write', values, whole: wholeRow(record, version, values, now), parts };
}

/** A counter's increments are counted whatever became of the rest: they are not to be written twice. */
const offeredBy = (record: ConflictRecord, version: ConflictVersion, now: InForce): Values =>
  isParked(record)
    ? without({ ...record.result, ...version.values }, now.counters)
    : without(version.values, now.countersAt(version.epoch));

function contestedBy(record: ConflictRecord, version: ConflictVersion, offered: Values, now: InForce): Lost {
  const leaves = leavesIn(record, version);
  const whole = without(
    contested(record, offered),
    leaves.map((l) => l.column),
  );
  if (isParked(record) || isGone(record)) return { values: whole, parts: [] };
  const lost = lostUnder(now, record.base, version, whole);
  return { values: lost.values, parts: [...lost.parts, ...leaves] };
}

/** The contested leaves, as the version left them; a row that is gone comes back whole. */
function leavesIn(record: ConflictRecord, { values }: ConflictVersion): Part[] {
  if (isGone(record)) return [];
  return contestedOf(record).flatMap(({ columns: [column], part }) => {
    if (part == null || column === undefined || !Object.hasOwn(values, column)) return [];
    return [{ kind: 'leaf', column, path: part, text: leavesOf(valueIn(values, column)).get(pathId(part)) ?? null }];
  });
}

function contested(record: ConflictRecord, offered: Values): Values {
  const registers = contestedOf(record);
  const columns = registers.flatMap((o) => o.columns);
  return isParked(record) || registers.some((o) => o.columns.length === 0) ? offered : onlyColumns(offered, columns);
}

/** What was written over since by somebody who had seen it is decided, unless it is all that the record tells of. */
function contestedOf({ status, overwritten }: ConflictRecord): readonly Overwritten[] {
  return status === 'resolved' ? overwritten : overwritten.filter((o) => o.writtenOver === undefined);
}

function named(columns: readonly string[], offered: Values): Values {
  const missing = columns.filter((c) => !Object.hasOwn(offered, c));
  if (missing.length > 0)
    throw unresolvable(
      `this version has no value for ${missing.join(', ')}: it has ${Object.keys(offered).join(', ') || 'none that can be written'}`,
    );
  return onlyColumns(offered, columns);
}

/** Null: the row was there when the conflict was decided, so if it is not now, somebody has deleted it since. */
function wholeRow(record: ConflictRecord, version: ConflictVersion, values: Values, now: InForce): Values | null {
  if (isParked(record)) return { ...record.result, ...values };
  if (!isGone(record)) return null;
  const counts = now.countersAt(version.epoch).flatMap((c) => {
    const written = valueIn(version.values, c);
    const base = version.op === 'insert' ? null : valueIn(record.base ?? {}, c);
    if (written === null) return base === null ? [] : [[c, base]];
    return [[c, base === null ? written : addDecimals(base, written)]];
  });
  return { ...record.base, ...version.values, ...Object.fromEntries(counts), ...values } as Values;
}

/** A record that tells of no register tells of a row that is out of its table; its result is that row. */
const isParked = (record: ConflictRecord): boolean => record.overwritten.length === 0;
const isGone = (record: ConflictRecord): boolean => record.result === null;

const without = (values: Values, columns: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([c]) => !columns.includes(c)));

const unresolvable = (message: string): Refused => new Refused('unresolvable', message);
