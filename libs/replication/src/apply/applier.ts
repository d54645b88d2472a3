import {
  type ApplyStore,
  type ApplyTransaction,
  type Change,
  type ClockOffsets,
  type Digest,
  type PolicyFunctions,
  type Retry,
  type RowRef,
  type TableName,
  type TableRefused,
  type TableSpec,
  type Tick,
  UNKNOWN_OFFSETS,
  at,
  vectorOf,
} from '@meridian/core';
import { Attempt, type AttemptOutcome } from './attempt.js';
import { type Batch, type Enrolled, type Positions, resumedBatch, stillWaitingBatch, tickBatch } from './batch.js';
import { TableStaysRefusedError } from './errors.js';
import { retryOf } from './take-again.js';

export interface ApplierEvents {
  /** An attempt was rolled back and is taken again: contention with local writers, or somebody who holds a row for long. */
  retried(because: Retry | TableRefused, attempts: number): void;
  applied(ticks: readonly Tick[], conflicts: number): void;
  /** Changes of ended enrolments that the ticks brought: they are in the log, and in no table here. */
  passed(changes: readonly Change[]): void;
  /** A table cannot take its changes here; they wait, and others go on. */
  refused(table: TableName, reason: string): void;
  /** A table took the changes that had waited for it. */
  resumed(table: TableName): void;
}

/**
 * Applies ticks in one transaction (design 5, the seven steps). Taken again until it is through: local transactions are never
 * ended for its sake. One at a time per region; a second one finds the vector moved on and steps back.
 */
export class Applier {
  constructor(
    private readonly store: ApplyStore,
    private readonly digest: Digest,
    private readonly functions: PolicyFunctions,
    private readonly events: ApplierEvents,
    private readonly offsets: ClockOffsets = UNKNOWN_OFFSETS,
  ) {}

  /** `overtaken`: another applier was here, nothing was done. The ticks are causally ordered and ready (`readyBatch`). */
  async apply(
    ticks: readonly Tick[],
    positions: Positions = new Map(),
    enrolled?: Enrolled,
  ): Promise<'applied' | 'overtaken'> {
    const refusals = new Refusals();
    let passed: readonly Change[] = [];
    const makeBatch: MakeBatch = async (_tx, known) => {
      const batch = tickBatch(ticks, positions, known, refusals.certain);
      passed = batch.passed;
      return batch;
    };
    const outcome = await this.untilThrough(makeBatch, refusals, enrolled).catch((error) =>
      this.unlessOvertaken(ticks, error),
    );
    if (outcome.kind !== 'applied') return 'overtaken';
    this.events.applied(ticks, outcome.conflicts);
    if (passed.length > 0) this.events.passed(passed);
    for (const [table, reason] of refusals.certain) this.events.refused(table, reason);
    return 'applied';
  }

  /** Whoever was overtaken has decided against tables that had the ticks already: what it found wrong there says nothing. */
  private async unlessOvertaken(ticks: readonly Tick[], error: unknown): Promise<Through> {
    const applied = vectorOf(await this.store.heads());
    if (ticks.some(({ origin, seq }) => seq <= at(applied, origin))) return { kind: 'nothing' };
    throw error;
  }

  /** Decided by the rows of a later enrolment than it knew of: what it found wrong there says nothing (simulation, seed 4245). */
  private async unlessEnded(known: Enrolled, error: unknown): Promise<AttemptOutcome> {
    const { ended } = await this.store.enrolments();
    const since = [...ended.keys()].find((table) => ended.get(table) !== known.ended.get(table));
    if (since === undefined) throw error;
    return {
      kind: 'retry',
      because: { retry: 'overtaken', detail: `an enrolment of ${since} has ended`, table: since },
    };
  }

  /** Takes up the changes that wait for their tables; a table that still refuses them goes on waiting, and says why it does now. */
  async resumeWaiting(): Promise<void> {
    for (const table of await this.store.waitingTables()) {
      const refusals = new Refusals();
      const outcome = await this.untilThrough(async (tx) => {
        const why = refusals.certain.get(table);
        if (why !== undefined) return stillWaitingBatch(table, why);
        const waiting = refusals.certain.size > 0 ? [] : await tx.waitingChanges(table);
        return waiting.length === 0 ? null : resumedBatch(table, waiting);
      }, refusals);
      if (outcome.kind === 'applied' && !refusals.certain.has(table)) this.events.resumed(table);
    }
  }

  private async untilThrough(makeBatch: MakeBatch, refusals: Refusals, enrolled?: Enrolled): Promise<Through> {
    let alsoLock: readonly RowRef[] = [];
    for (let attempts = 1; ; attempts++) {
      const known = attempts === 1 && enrolled !== undefined ? enrolled : await readEnrolled(this.store);
      const outcome = await this.attempt(makeBatch, alsoLock, known).catch((error) => this.unlessEnded(known, error));
      if (outcome.kind === 'applied' || outcome.kind === 'nothing') return outcome;
      if (outcome.kind === 'lock') {
        alsoLock = [...alsoLock, ...outcome.rows];
        continue;
      }
      if (outcome.because.retry === 'overtaken') return { kind: 'nothing' };
      if (outcome.because.retry === 'table refused') refusals.add(outcome.because, known.tables);
      if (outcome.because.retry === 'unique violation') refusals.violated(outcome.because);
      this.events.retried(outcome.because, attempts);
    }
  }

  private async attempt(
    makeBatch: MakeBatch,
    alsoLock: readonly RowRef[],
    enrolled: Enrolled,
  ): Promise<AttemptOutcome | Through> {
    const tx = await this.store.begin();
    let open = true;
    try {
      const batch = await makeBatch(tx, enrolled);
      if (batch === null) return { kind: 'nothing' };
      const { store, digest, functions, offsets } = this;
      const attempted = new Attempt(tx, store.region, digest, functions, enrolled.tables, batch, offsets);
      const outcome = await attempted.run(alsoLock);
      open = outcome.kind !== 'applied';
      return outcome;
    } catch (error) {
      const because = retryOf(error);
      if (because !== null) return { kind: 'retry', because };
      throw error;
    } finally {
      if (open) await tx.rollback();
    }
  }
}

export async function readEnrolled(store: ApplyStore): Promise<Enrolled> {
  const [enrolments, waiting] = await Promise.all([store.enrolments(), store.waitingTables()]);
  return { ...enrolments, waiting };
}

type MakeBatch = (tx: ApplyTransaction, enrolled: Enrolled) => Promise<Batch | null>;
type Through = { readonly kind: 'applied'; readonly conflicts: number } | { readonly kind: 'nothing' };

/**
 * A local writer who takes a unique value meanwhile is decided against at the next attempt. A table that violates again and
 * again has a unique index that the policy knows nothing of, as on an expression.
 */
const MOST_VIOLATIONS = 10;

/** A table that was altered under a statement is read again, and may take it then: it refuses when it does so twice. */
class Refusals {
  readonly certain = new Map<TableName, string>();
  private readonly suspected = new Set<TableName>();
  private readonly violations = new Map<TableName, number>();

  violated({ table, detail }: Retry): void {
    if (table === undefined) return;
    const times = (this.violations.get(table) ?? 0) + 1;
    this.violations.set(table, times);
    if (times < MOST_VIOLATIONS) return;
    if (this.certain.has(table)) throw new TableStaysRefusedError(table, detail);
    this.certain.set(table, detail);
  }

  add({ table, detail }: TableRefused, tables: ReadonlyMap<TableName, TableSpec>): void {
    if (this.certain.has(table)) this.addRelatives(table, detail, tables);
    else if (this.suspected.has(table)) this.certain.set(table, detail);
    this.suspected.add(table);
  }

  /** The batch brings nothing for the table any more: what it brings for its parents or children relies on it, and waits, too. */
  private addRelatives(table: TableName, detail: string, tables: ReadonlyMap<TableName, TableSpec>): void {
    const relatives = relativesOf(table, tables).filter((relative) => !this.certain.has(relative));
    if (relatives.length === 0) throw new TableStaysRefusedError(table, detail);
    for (const relative of relatives)
      this.certain.set(relative, `its rows and those of ${table} refer to one another, and ${table} waits: ${detail}`);
  }
}

/** The tables that a foreign key ties to this one. */
function relativesOf(table: TableName, tables: ReadonlyMap<TableName, TableSpec>): TableName[] {
  const parents = tables.get(table)?.foreignKeys.map((key) => key.parent) ?? [];
  const children = [...tables.values()].filter((spec) => spec.foreignKeys.some((key) => key.parent === table));
  return [...parents, ...children.map((spec) => spec.name)].filter((name) => name !== table && tables.has(name));
}
