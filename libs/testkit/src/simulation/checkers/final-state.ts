import {
  beforeOf,
  changeRef,
  compareRank,
  type ConflictRecord,
  type Digest,
  type Entry,
  isTouch,
  type FunctionPolicy,
  type MapPath,
  merges,
  nameOf,
  type Overwritten,
  pathOf,
  patchOf,
  policyAt,
  recordId,
  type Register,
  type RowRef,
  rowId,
  siblingsIn,
  type TableSpec,
  type TextPolicy,
  type Values,
  covers,
  winner,
} from '@meridian/core';
import { CONFLICT_TABLE, counted, fullValues, type MemoryDatabase, parseRecord } from '../memory-store/index.js';
import type { Ledger } from './ledger.js';
import { leafAt, wholeLeaf } from './map-paths.js';
import { allParts, decidePart, partsOf, type PartsPolicy } from './merged-parts.js';
import { wrongText } from './merged-text.js';
import { Violation } from './violation.js';

/**
 * At the end, in one region (all are equal by then): every row is what its maximal versions say (I6), counters are the sum of
 * what was acknowledged (I7), and every acknowledged write is in the table, covered, or in a conflict record (I3).
 */
export function checkFinalState(db: MemoryDatabase, ledger: Ledger, digest: Digest): void {
  const records = new Map(
    [...db.rows(CONFLICT_TABLE).values()].map(({ values }) => [values['id']!, parseRecord(values)]),
  );
  const siblings = [...records.values()].flatMap((record) => siblingsIn(record).map((told) => ({ record, told })));
  const recorded = (ref: RowRef, loser: Entry, what: Named): boolean => {
    const record = records.get(recordId(digest, ref, loser));
    return record?.status === 'open' && record.overwritten.some((o) => nameOf(o) === nameOf(what));
  };
  for (const { ref, versions, base } of ledger.touched) {
    const row = new FinalRow(db, ref, versions, base, recorded);
    row.check();
    row.checkSiblings(siblings.filter(({ record }) => rowId(record) === rowId(ref)));
  }
}

interface Sibling {
  readonly record: ConflictRecord;
  readonly told: Overwritten;
}

type Named = Pick<Overwritten, 'columns' | 'part'>;

const latestEpoch = (versions: readonly Entry[]): number => Math.max(...versions.map((e) => e.epoch));

class FinalRow {
  private readonly spec: TableSpec;

  constructor(
    private readonly db: MemoryDatabase,
    private readonly ref: RowRef,
    private readonly versions: readonly Entry[],
    private readonly base: Values | null,
    private readonly recorded: (ref: RowRef, loser: Entry, what: Named) => boolean,
  ) {
    this.spec = db.spec(ref.table);
  }

  check(): void {
    const row = this.db.row(this.ref);
    const values = row === null ? (this.db.parkedOf(this.ref)?.values ?? null) : fullValues(row);
    const maximal = this.maximal(this.versions);
    const exists = this.existence(maximal);
    if (exists !== (values !== null))
      throw this.violation('I6', `should ${exists ? 'exist' : 'not exist'}, and does ${exists ? 'not' : 'exist'}`);
    if (values === null) return;
    for (const register of this.spec.registers) this.checkUnderItsPolicy(register, values);
    for (const counter of this.spec.counters) this.checkCounter(counter, values[counter] ?? '0');
    if (row !== null) this.checkShown(row.values, values);
  }

  /** Open records tell of the maximal versions that do not show, whose writers nobody had seen who wrote since, or deleted. */
  checkSiblings(siblings: readonly Sibling[]): void {
    const deletes = this.versions.filter((e) => e.op === 'delete');
    const expected = this.spec.registers.flatMap(({ columns }) => {
      const setters = this.maximal(this.versions.filter((e) => columns.some((c) => Object.hasOwn(patchOf(e), c))));
      if (setters.length === 0 || this.policyOf(columns, setters).kind !== 'register') return [];
      const shown = winner({ kind: 'hlc' }, columns, setters);
      const beside = setters.filter((e) => columns.some((c) => patchOf(e)[c] !== patchOf(shown)[c]));
      return beside
        .filter((e) => !deletes.some((d) => covers(d, e)))
        .map((e) => `${changeRef(e)} ${columns.map((c) => `${c} ${patchOf(e)[c]}`).join()}`);
    });
    const told = siblings.map(
      ({ record, told: { columns, lost } }) =>
        `${changeRef(record.loser as never)} ${columns.map((c) => `${c} ${lost[c]}`).join()}`,
    );
    if (told.sort().join('; ') !== expected.sort().join('; '))
      throw this.violation('I6', `should have the siblings [${expected.join('; ')}], and has [${told.join('; ')}]`);
  }

  private policyOf(columns: readonly string[], setters: readonly Entry[]): Register['policy'] {
    const { registers } = policyAt(this.spec, latestEpoch(setters));
    return registers.find((r) => r.columns.join() === columns.join())!.policy;
  }

  private existence(maximal: readonly Entry[]): boolean {
    const deletes = maximal.filter((e) => e.op === 'delete');
    const others = maximal.filter((e) => e.op !== 'delete');
    if (deletes.length === 0 || others.length === 0) return deletes.length === 0;
    const { delete: policy } = policyAt(this.spec, latestEpoch(maximal));
    const latest = winner({ kind: 'hlc' }, [], maximal);
    const exists =
      others.some(isTouch) || policy === 'update-wins' || (policy === 'by-stamp' && latest.op !== 'delete');
    for (const loser of exists ? deletes : others) this.assertKept(loser, []);
    return exists;
  }

  /** The one that was in force when the latest of its versions was written, in their origins' epochs. */
  private checkUnderItsPolicy({ columns }: Register, values: Values): void {
    const setters = this.maximal(this.versions.filter((e) => columns.some((c) => Object.hasOwn(patchOf(e), c))));
    if (setters.length === 0) return;
    this.checkRegister({ columns, policy: this.policyOf(columns, setters) }, values);
  }

  private checkRegister({ columns, policy }: Register, values: Values): void {
    if (policy.kind === 'text') return this.checkText(columns[0]!, policy, values);
    if (merges(policy)) return this.checkParts(columns[0]!, policy, values);
    const setters = this.maximal(this.versions.filter((e) => columns.some((c) => Object.hasOwn(patchOf(e), c))));
    if (setters.length === 0) return;
    if (policy.kind === 'merge') return this.checkMerged(columns, policy, setters, values);
    const won = [...setters].sort((a, b) => compareRank(policy, columns, a, b)).at(-1)!;
    for (const column of columns)
      if ((patchOf(won)[column] ?? null) !== (values[column] ?? null))
        throw this.violation(
          'I6',
          `${column} should be ${patchOf(won)[column]} by ${changeRef(won)}, and is ${values[column]}`,
        );
    if (policy.kind === 'register') return;
    for (const loser of setters)
      if (columns.some((c) => patchOf(loser)[c] !== patchOf(won)[c])) this.assertKept(loser, columns);
  }

  /** What the function makes of them, which is not asked here: it names what it was made of. */
  private checkMerged(
    columns: readonly string[],
    policy: FunctionPolicy,
    setters: readonly Entry[],
    values: Values,
  ): void {
    const [column] = columns as [string];
    const differ = new Set(setters.map((e) => patchOf(e)[column])).size > 1;
    if (!differ || setters.length > 2) return this.checkRegister({ columns, policy: policy.fallback }, values);
    for (const { origin } of setters)
      if (!values[column]!.includes(`${origin} `))
        throw this.violation('I6', `${column} should be made of what ${origin} wrote, and is ${values[column]}`);
  }

  private checkText(column: string, policy: TextPolicy, values: Values): void {
    const writers = this.versions.filter((e) => Object.hasOwn(patchOf(e), column));
    if (writers.length === 0) return;
    const held = values[column] ?? '';
    const wrong = wrongText(column, policy, writers, held);
    if (wrong !== null) throw this.violation('I6', `${column} ${wrong}, and is ${held}`);
  }

  private checkParts(column: string, policy: PartsPolicy, values: Values): void {
    const writers = this.versions.filter((e) => Object.hasOwn(patchOf(e), column));
    if (policy.kind === 'map' && policy.paths !== undefined)
      return this.checkPaths(column, policy.paths, writers, values);
    const held = partsOf(policy, values[column] ?? null);
    for (const part of allParts(policy, column, writers)) {
      const decided = decidePart(policy, column, part, writers);
      if (decided === undefined) continue;
      if ((held.get(part) ?? null) !== decided.value)
        throw this.violation('I6', `${column} ${part} should be ${decided.value}, and is ${held.get(part)}`);
      for (const loser of decided.losers) this.assertKept(loser, [column], pathOf(part));
    }
  }

  /** The counters and sets of a document: of all that was ever written, and not one arrival after another. */
  private checkPaths(column: string, paths: readonly MapPath[], writers: readonly Entry[], values: Values): void {
    for (const { path, policy } of paths) {
      const expected = wholeLeaf(policy, column, path, writers);
      if (expected === undefined) continue;
      const held = leafAt(values[column] ?? null, path);
      if (!expected.includes(held))
        throw this.violation('I7', `${column} ${path.join('.')} should be ${expected.join(' or ')}, and is ${held}`);
    }
  }

  /** An insert starts anew: it drops what it covers and keeps what it does not. */
  private checkCounter(column: string, value: string): void {
    const inserts = this.versions.filter((e) => e.op === 'insert');
    const counted = this.versions.filter((e) => !inserts.some((i) => i !== e && covers(i, e)));
    const sum = counted.reduce(
      (n, e) => n + Number(patchOf(e)[column] ?? 0),
      inserts.length === 0 ? Number(this.base?.[column] ?? '0') : 0,
    );
    if (sum !== Number(value)) throw this.violation('I7', `${column} is ${value}, acknowledged were ${sum}`);
  }

  /** As much of the sum as its type holds, also after local writes that changed what showed. */
  private checkShown(shown: Values, full: Values): void {
    const { values } = counted(this.db.rangesOf(this.ref.table), full);
    for (const column of this.spec.counters)
      if (shown[column] !== values[column])
        throw this.violation('I7', `${column} is ${full[column]}, and ${shown[column]} shows, not ${values[column]}`);
  }

  private assertKept(loser: Entry, columns: readonly string[], part: readonly string[] | null = null): void {
    if (this.ref.table === CONFLICT_TABLE || isTouch(loser)) return;
    if (!this.recorded(this.ref, loser, { columns, part }))
      throw this.violation(
        'I3',
        `${loser.op} ${changeRef(loser)} of (${columns.join()}) was overwritten, and no record says so`,
      );
  }

  private maximal(versions: readonly Entry[]): Entry[] {
    return versions.filter((e) => !versions.some((f) => f !== e && covers(f, e)));
  }

  private violation(invariant: 'I3' | 'I6' | 'I7', detail: string): Violation {
    const versions = this.versions.map(
      (e) =>
        `    ${changeRef(e)} tick ${e.seq} ${e.op} ${e.patch ?? JSON.stringify(beforeOf(e))} stamp ${e.stamp} deps ${JSON.stringify(e.deps)} unseen ${JSON.stringify(e.unseen)}`,
    );
    return new Violation(invariant, `${rowId(this.ref).replace('\n', ' ')} ${detail}\n${versions.join('\n')}`);
  }
}
