import {
  type ApplyStore,
  type ApplyTransaction,
  type ClockOffsets,
  type ConflictRecord,
  type Digest,
  type Entry,
  type PolicyFunctions,
  type Places,
  type Recording,
  type Retry,
  type RowEffect,
  type RowRef,
  type RowState,
  type TableName,
  type TableRefused,
  type TableSpec,
  TransactionRetryError,
  type Values,
  beforeOf,
  changeRef,
  countsIn,
  inPresentColumns,
  recordVerdicts,
  remembering,
  rowId,
  touchedRecordIds,
  valuesText,
  groupByRow,
} from '@meridian/core';
import { type Batch, type RowWork, arrange } from './batch.js';
import { decideForeignKeys } from './foreign-keys.js';
import { entriesFurtherBack } from './further-back.js';
import { recordParking } from './parking-records.js';
import { runMerges } from './run-merges.js';
import { type RowOutcome, ContendedRow, isPlain, plainOutcome } from './row-outcome.js';
import { asked, behind, inTurn, orRetry, type Step } from './take-again.js';
import { decideUniqueKeys, showWritten } from './virtual-rows.js';

export type AttemptOutcome =
  | { readonly kind: 'applied'; readonly conflicts: number }
  | { readonly kind: 'retry'; readonly because: Retry | TableRefused }
  /** Rows that contend with the batch's: to be locked with it, in order. */
  | { readonly kind: 'lock'; readonly rows: readonly RowRef[] };

/** One try at a batch: design 5's seven steps, in one transaction, and its commit. Leaves by {@link TransactionRetryError} when it has to be rolled back. */
export class Attempt {
  private readonly work: readonly RowWork[];
  /** A change's id is asked for with each verdict on it, and again for what becomes of its record. */
  private readonly recordDigest: Digest;

  constructor(
    private readonly tx: ApplyTransaction,
    private readonly region: ApplyStore['region'],
    digest: Digest,
    private readonly functions: PolicyFunctions,
    private readonly tables: ReadonlyMap<TableName, TableSpec>,
    private readonly batch: Batch,
    private readonly offsets: ClockOffsets,
  ) {
    this.recordDigest = remembering(digest);
    this.work = arrange(batch.arriving, tables);
  }

  async run(alsoLock: readonly RowRef[]): Promise<AttemptOutcome> {
    const { tx, batch, work } = this;
    const rows = work.map((w) => w.ref);
    const all = [...rows, ...alsoLock];
    const { places: held, entries: found } = orRetry(await tx.hold(all, batch.floor)); // 1, 2
    const entries = this.applied(found);
    this.assertPoliciesKnown(entries);
    const outcomes = await this.decide(held, this.inPresentColumns(entries));
    const unique = await this.decideUnique(outcomes, held);
    if (unique.toLock.length > 0) return { kind: 'lock', rows: unique.toLock };
    const foreign = await decideForeignKeys(tx, this.tables, unique.effects, held);
    if (foreign.toLock.length > 0) return { kind: 'lock', rows: foreign.toLock };
    const known = this.knownRecords(outcomes);
    const steps = asked(tx.write(foreign.effects), ...this.keep(outcomes), batch.advance(tx)); // 3, 4, 5
    const conflicts = await behind(steps, this.record(outcomes, foreign.effects, await behind(steps, known)));
    await behind(steps, this.assertChecked(rows)); // 6
    steps.push(...asked(...this.lookAgain(all, held), tx.commit())); // 7
    await inTurn(steps);
    return { kind: 'applied', conflicts };
  }

  /** A local write may have come with a policy that was not there yet when the policies were read: it is the one to decide by. */
  private assertPoliciesKnown(entries: readonly Entry[]): void {
    const later = entries.find(({ table, epoch }) => epoch > this.tables.get(table)!.epoch);
    if (later === undefined) return;
    const { table, epoch } = later;
    throw new TransactionRetryError({
      retry: 'policy changed',
      detail: `${table} has a policy of epoch ${epoch}`,
      table,
    });
  }

  private applied(entries: readonly Entry[]): readonly Entry[] {
    const { notApplied } = this.batch;
    return notApplied.size === 0 ? entries : entries.filter((e) => !notApplied.has(changeRef(e)));
  }

  private inPresentColumns(entries: readonly Entry[]): readonly Entry[] {
    return entries.map((e) => inPresentColumns(e, this.tables.get(e.table)!));
  }

  private async decide(held: Places, entries: readonly Entry[]): Promise<RowOutcome[]> {
    const byRow = groupByRow(entries);
    const plain = new Set(this.work.filter((w) => isPlain(w, byRow.get(rowId(w.ref)) ?? [])));
    const contended = this.work.filter((w) => !plain.has(w));
    const states =
      contended.length === 0 ? new Map<string, RowState>() : await this.tx.read(contended.map((w) => w.ref));
    const known = await this.knownOf(contended, byRow);
    const images = await this.images(contended.map((w) => w.ref).filter((ref) => !states.has(rowId(ref))));
    const rows = new Map(
      contended.map((w) => {
        const id = rowId(w.ref);
        return [w, new ContendedRow(w, known.get(id) ?? [], states.get(id), images.get(id) ?? null)];
      }),
    );
    await runMerges(this.functions, [...rows.values()]);
    return this.work.map((w) => rows.get(w)?.outcome() ?? plainOutcome(w, held.get(rowId(w.ref)) ?? null));
  }

  /** Further back where it is needed. */
  private knownOf(
    contended: readonly RowWork[],
    byRow: ReadonlyMap<string, readonly Entry[]>,
  ): Promise<ReadonlyMap<string, readonly Entry[]>> {
    return entriesFurtherBack(contended, byRow, this.batch.floor, async (rows, floor) =>
      this.inPresentColumns(this.applied(await this.tx.entriesAbove(rows, floor))),
    );
  }

  /**
   * Of rows that are not here: a later winner restores the whole row. Looked for in all of the log, for the delete may be one
   * that the batch covers (by-stamp, with clocks that differ: a covered delete beats what was uncovered).
   */
  private async images(deleted: readonly RowRef[]): Promise<ReadonlyMap<string, Values>> {
    if (deleted.length === 0) return new Map();
    const logged = this.inPresentColumns(await this.tx.entriesOf(deleted));
    const deletes = logged.filter((e) => e.op === 'delete' && e.before !== null);
    return new Map(deletes.map((e) => [rowId(e), beforeOf(e)]));
  }

  private async decideUnique(
    outcomes: readonly RowOutcome[],
    held: Places,
  ): Promise<{ readonly toLock: readonly RowRef[]; readonly effects: readonly RowEffect[] }> {
    const effects = new Map<string, readonly RowEffect[]>(
      outcomes.flatMap((o) => (o.effect === null ? [] : [[rowId(o.ref), [placed(o, o.effect)]]])),
    );
    for (const spec of new Set(outcomes.map((o) => o.spec))) {
      const own = outcomes.filter((o) => o.spec === spec);
      if (spec.uniqueKeys.length === 0) {
        for (const [id, shown] of await showWritten(this.tx, spec, own)) effects.set(id, shown);
        continue;
      }
      const decision = await decideUniqueKeys(this.tx, spec, own, held);
      if (decision.toLock.length > 0) return { toLock: decision.toLock, effects: [] };
      if (decision.contended.length > 0) await this.tx.keepClaims(decision.contended);
      for (const [id, decided] of decision.effects) effects.set(id, decided);
    }
    return { toLock: [], effects: [...effects.values()].flat() };
  }

  /** The log, the images of deleted rows, and the races. */
  private keep(outcomes: readonly RowOutcome[]): Step[] {
    const { tx } = this;
    const images = outcomes.flatMap((o) => (o.image === null ? [] : [{ ref: o.ref, image: valuesText(o.image) }]));
    const races = outcomes.flatMap((o) => o.races);
    return [
      ...this.batch.log(tx),
      ...(images.length > 0 ? [tx.keepImages(images)] : []),
      ...(races.length > 0 ? [tx.recordRaces(races)] : []),
    ];
  }

  /** Asked for before the rows are written, so that what becomes of the records is made out while they are. */
  private knownRecords(outcomes: readonly RowOutcome[]): Promise<ReadonlyMap<string, ConflictRecord>> {
    const ids = touchedRecordIds(this.recordDigest, this.region, recordingsOf(outcomes));
    return ids.length === 0 ? Promise.resolve(new Map()) : this.tx.conflictRecords(ids);
  }

  private async record(
    outcomes: readonly RowOutcome[],
    effects: readonly RowEffect[],
    known: ReadonlyMap<string, ConflictRecord>,
  ): Promise<number> {
    const { tx, recordDigest: digest, region } = this;
    const records = [
      ...recordVerdicts(digest, region, recordingsOf(outcomes), known, this.offsets),
      ...(await recordParking(tx, digest, region, effects, this.insertedOver(outcomes))),
    ];
    if (records.length > 0) await tx.recordConflicts(records);
    const merges = outcomes.flatMap((o) => o.merges).filter((merge) => countsIn(merge, region));
    if (merges.length > 0) await tx.countMerges(merges);
    return records.length;
  }

  /** Virtual rows here that an insert arrives for: where it was written, they did not show. */
  private insertedOver(outcomes: readonly RowOutcome[]): RowRef[] {
    return this.work.flatMap(({ ref, arriving }, i) => {
      const first = arriving.find((e) => e.op !== 'update');
      return outcomes[i]!.place !== null && first?.op === 'insert' ? [ref] : [];
    });
  }

  private async assertChecked(rows: readonly RowRef[]): Promise<void> {
    const violated = await this.tx.check(rows);
    if (violated.length > 0) throw new Error(`apply would violate ${violated.map((v) => v.constraint).join(', ')}`);
  }

  /**
   * A key without a row in its table could not be locked (a parked entry's lock keeps nobody from inserting the key): a local insert (or an insert and a delete) may have come since step 2. Under the
   * cut lock no tick is cut until we have committed, so a change that step 2 has not seen is seen now or comes after us.
   */
  private lookAgain(all: readonly RowRef[], held: Places): Step[] {
    const unlocked = all.filter((ref) => held.get(rowId(ref)) !== 'table');
    if (unlocked.length === 0) return [];
    return [this.tx.takeCutLock(), this.tx.lookAgain(unlocked, this.batch.floor)];
  }
}

const recordingsOf = (outcomes: readonly RowOutcome[]): Recording[] => outcomes.flatMap((o) => o.recordings);

/** A parked row takes its changes where it is, until a unique or foreign key decision shows it. */
function placed(outcome: RowOutcome, effect: RowEffect): RowEffect {
  return outcome.place === 'parked' && effect.kind === 'delete' ? { ...outcome.ref, kind: 'unpark' } : effect;
}
