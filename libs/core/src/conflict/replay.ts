import { type Entry, maximal } from '../causality/coverage.js';
import { addDecimals, negateDecimal } from '../change/decimal.js';
import { type Values, onlyColumns, patchOf } from '../change/change.js';
import { decideText } from '../merge/text/decide-text.js';
import { type Register, type TableSpec, type TextPolicy, merges } from '../policy/table-policy.js';
import { decideAmong, type Decision } from './decide-among.js';
import { isKeyAct } from './lost-row.js';
import type { ConflictRecord, ConflictVersion, Overwritten } from './record.js';
import { entryOf, microsOf, wallOf } from './recorded-version.js';
import { resolve, type Verdict } from './resolve.js';

/** How a recorded conflict would end under another policy. */
export type Replayed =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'different';
      /** None: only the row's existence. */
      readonly columns: readonly string[];
      /** Of these columns, or what was written of the row; null: it does not exist. */
      readonly present: Values | null;
      readonly other: Values | null;
    }
  | { readonly kind: 'not replayed'; readonly because: keyof typeof NOT_REPLAYED };

/** What a record does not tell. */
export const NOT_REPLAYED = {
  not_decided_by_policy:
    'a row lost a unique value or its parent: the earlier claim keeps it, whatever the policy of its columns',
  more_than_recorded:
    'the versions in the record would not end as they did even under the policy that decided them: it went by more than the record holds',
  columns_gone: 'it is about a column that the table does not have any more, or under another name',
  columns_not_recorded:
    'the policy takes columns together, and what the change that would win had in one that another wrote is not recorded',
  time_not_recorded:
    "the time by which the policy decides is not among a version's values, or the same to the millisecond",
  function_not_run: 'a merge function decides it, and a preview runs none',
  base_not_recorded: 'the policy goes by what a version changed, and what it wrote over is not recorded, or no number',
} as const;

class NotReplayed extends Error {
  constructor(readonly because: keyof typeof NOT_REPLAYED) {
    super(because);
  }
}

/** `present`: the policy of now; where it is the one that decided the record, replaying it has to give what was recorded. */
export function replayConflict(record: ConflictRecord, present: TableSpec, other: TableSpec): Replayed {
  try {
    if (record.overwritten.length === 0 || isKeyAct(record)) throw new NotReplayed('not_decided_by_policy');
    checkRecorded(record, present);
    return compared(recordedEnd(record), endUnder(record, present, other), writtenColumns(record));
  } catch (error) {
    if (error instanceof NotReplayed) return { kind: 'not replayed', because: error.because };
    throw error;
  }
}

/** Null: the row does not exist. Columns that the record does not tell of are absent. */
interface End {
  readonly exists: boolean;
  readonly values: Values;
}

function recordedEnd({ overwritten, result }: ConflictRecord): End {
  const existence = overwritten.find(isExistence);
  // Of a part the row's result has the whole.
  const told = overwritten.flatMap((o) => (isPart(o) ? [] : Object.entries(o.result ?? {})));
  return {
    exists: existence === undefined ? result !== null : existence.result !== null,
    values: Object.fromEntries([...Object.entries(result ?? {}), ...told]),
  };
}

function endUnder(record: ConflictRecord, present: TableSpec, spec: TableSpec): End {
  const contended = record.overwritten.some(isExistence);
  const existence = contended ? existenceUnder(record, spec) : null;
  const columns = new Set(record.overwritten.flatMap((o) => o.columns));
  const registers = spec.registers.filter((r) => r.columns.some((c) => columns.has(c)));
  const counters = spec.counters.filter((c) => columns.has(c));
  const decided = new Set([...counters, ...registers.flatMap((r) => r.columns)]);
  if (![...columns].every((c) => decided.has(c))) throw new NotReplayed('columns_gone');
  const winners = existence === null || !existence.exists ? {} : patchOf(existence.verdict.winner);
  return {
    exists: existence?.exists ?? record.result !== null,
    values: Object.fromEntries([
      ...Object.entries(winners),
      ...registers.flatMap((register) => Object.entries(registerUnder(record, present, spec, register))),
      ...counters.map((column): [string, string] => [column, countUnder(record, column)]),
    ]),
  };
}

function compared(recorded: End, other: End, written: ReadonlySet<string>): Replayed {
  if (!recorded.exists && !other.exists) return { kind: 'same' };
  const told = Object.keys(other.values).filter((c) => written.has(c));
  if (recorded.exists !== other.exists) {
    const of = (end: End): Values | null => (end.exists ? end.values : null);
    return { kind: 'different', columns: [], present: of(recorded), other: of(other) };
  }
  const columns = told.filter((c) => Object.hasOwn(recorded.values, c) && recorded.values[c] !== other.values[c]);
  if (columns.length === 0) return { kind: 'same' };
  return {
    kind: 'different',
    columns,
    present: onlyColumns(recorded.values, columns),
    other: onlyColumns(other.values, columns),
  };
}

/** A record keeps one stamp a change, and not which regions had seen what of the rest of the row. */
function checkRecorded(record: ConflictRecord, present: TableSpec): void {
  for (const told of record.overwritten) {
    const verdict = verdictAgain(record, told, present);
    if (verdict === null) continue;
    const { winner } = verdict;
    if (winner.origin !== told.winner.origin || winner.id !== told.winner.id)
      throw new NotReplayed('more_than_recorded');
  }
}

/** Null: another policy than the present one decided it. */
function verdictAgain(record: ConflictRecord, told: Overwritten, present: TableSpec): Verdict | null {
  if (isExistence(told)) return told.policy === present.delete ? existenceUnder(record, present).verdict : null;
  const register = present.registers.find((r) => sameColumns(r.columns, told.columns));
  if (register?.policy.kind !== told.policy || isPart(told)) return null;
  const decision = decidedUnder(record, present, present, register);
  if (decision === null) throw new NotReplayed('more_than_recorded');
  return decision.verdict;
}

const existenceUnder = (record: ConflictRecord, spec: TableSpec) => {
  const versions = record.versions.map((v) => entryOf(record, v, wallOf(v), v.values));
  return decideAmong(spec, null, maximal(versions), record.result);
};

function registerUnder(record: ConflictRecord, present: TableSpec, spec: TableSpec, register: Register): Values {
  if (register.policy.kind === 'merge') throw new NotReplayed('function_not_run');
  if (merges(register.policy)) return mergedUnder(record, spec, register);
  const decision = decidedUnder(record, present, spec, register);
  if (decision === null) return onlyColumns(record.base ?? {}, register.columns);
  const { verdict, values } = decision;
  if (!register.columns.every((c) => Object.hasOwn(patchOf(verdict.winner), c)))
    throw new NotReplayed('columns_not_recorded');
  return onlyColumns(values, register.columns);
}

/** From what the first of them wrote over, one after another, as they would have arrived. */
function mergedUnder(record: ConflictRecord, spec: TableSpec, register: Register): Values {
  const writers = record.versions.filter((v) => wrote(record, register, v));
  const base = onlyColumns(record.base ?? {}, register.columns);
  if (writers.some((v) => v.op === 'update') && Object.keys(base).length < register.columns.length)
    throw new NotReplayed('base_not_recorded');
  const versions = maximal(writers.map((v) => entryOf(record, v, wallOf(v), onlyColumns(v.values, register.columns))));
  if (register.policy.kind === 'text') return mergedTextUnder(register.columns[0]!, register.policy, versions, base);
  const narrowed = { ...spec, registers: [register], counters: [] };
  const values = versions.reduce((present, e, i) => resolve(narrowed, e, versions.slice(0, i), present).values, base);
  return onlyColumns(values, register.columns);
}

function mergedTextUnder(column: string, policy: TextPolicy, versions: readonly Entry[], base: Values): Values {
  if (versions.length === 0) return base;
  return Object.fromEntries([[column, decideText(column, policy, versions).value]]);
}

/** Null: no version wrote the register. */
function decidedUnder(
  record: ConflictRecord,
  present: TableSpec,
  spec: TableSpec,
  register: Register,
): Decision | null {
  const counted = register.columns.filter((c) => present.counters.includes(c));
  const versions = record.versions.map((v) => ({ ...v, values: countedValues(record, counted, v) }));
  const writers = versions.filter((v) => wrote(record, register, v));
  if (writers.length === 0) return null;
  const entries = writers.map((v) =>
    entryOf(record, v, rankingTime(record, register, v), wholeOf(record, register, v)),
  );
  const decision = decideAmong(spec, register, maximal(entries), record.result);
  if (isByClock(register) && sameTime(decision.verdict)) throw new NotReplayed('time_not_recorded');
  return decision;
}

/** As capture sees it: some column was changed. What the present policy takes together with it is recorded unchanged. */
const wrote = ({ base }: ConflictRecord, { columns }: Register, { op, values }: ConflictVersion): boolean =>
  columns.some(
    (c) => Object.hasOwn(values, c) && (op === 'insert' || !Object.hasOwn(base ?? {}, c) || base![c] !== values[c]),
  );

/** Counters that the other policy takes as values: what a version made of each, where it has recorded the difference. */
function countedValues({ base }: ConflictRecord, counted: readonly string[], { op, values }: ConflictVersion): Values {
  const differences = Object.entries(onlyColumns(values, counted));
  if (op !== 'update' || differences.length === 0) return values;
  const sums = differences.map(([c, by]) => [c, asNumber(() => addDecimals(numberIn(base ?? {}, c), by ?? 'NULL'))]);
  return { ...values, ...(Object.fromEntries(sums) as Values) };
}

/** What its writer did not write of the register it had as it was: as the base tells, or as it is where nobody wrote it. */
function wholeOf(record: ConflictRecord, { columns }: Register, version: ConflictVersion): Values {
  if (version.op === 'insert') return version.values;
  const untouched = columns.filter((c) => !record.versions.some((v) => Object.hasOwn(v.values, c)));
  return {
    ...onlyColumns(record.result ?? {}, untouched),
    ...onlyColumns(record.base ?? {}, columns),
    ...version.values,
  };
}

function rankingTime({ base }: ConflictRecord, { policy }: Register, version: ConflictVersion): bigint {
  if (policy.kind !== 'lww' || policy.column === null) return wallOf(version);
  const text = onlyColumns({ ...base, ...version.values }, [policy.column])[policy.column];
  const micros = text == null ? null : microsOf(text);
  if (micros === null) throw new NotReplayed('time_not_recorded');
  return micros;
}

const isByClock = ({ policy }: Register): boolean => policy.kind === 'lww' && policy.column === null;

const sameTime = ({ versions, winner }: Verdict): boolean =>
  versions.some((e) => e !== winner && e.wall === winner.wall);

/** Of each region's last value the difference to what all of them wrote over. */
function countUnder(record: ConflictRecord, column: string): string {
  const writers = record.versions.filter((v) => Object.hasOwn(v.values, column));
  const last = maximal(writers.map((v) => entryOf(record, v, wallOf(v), v.values)));
  const base = last.every((e) => e.op === 'insert') ? '0' : numberIn(record.base ?? {}, column);
  return asNumber(() =>
    last
      .map((e) => addDecimals(numberIn(patchOf(e), column), e.op === 'insert' ? '0' : negateDecimal(base)))
      .reduce(addDecimals, base),
  );
}

function asNumber(sum: () => string): string {
  try {
    return sum();
  } catch (error) {
    if (error instanceof RangeError) throw new NotReplayed('base_not_recorded');
    throw error;
  }
}

/** What is none is refused where it is added. */
const numberIn = (values: Values, column: string): string => onlyColumns(values, [column])[column] ?? 'NULL';

const writtenColumns = ({ versions }: ConflictRecord): ReadonlySet<string> =>
  new Set(versions.flatMap((v) => Object.keys(v.values)));

const isPart = ({ part }: Overwritten): boolean => (part ?? null) !== null;

const isExistence = ({ columns }: Overwritten): boolean => columns.length === 0;

const sameColumns = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((c, i) => c === b[i]);
