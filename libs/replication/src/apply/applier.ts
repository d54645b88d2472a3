import {
  type ApplyStore,
  type ApplyTransaction,
  type Digest,
  type Entry,
  type RegionId,
  type Retry,
  type RowEffect,
  type RowRef,
  type TableName,
  type TableSpec,
  type Tick,
  changeRef,
  recordVerdicts,
  rowId,
  touchedRecordIds,
  valuesText,
} from '@meridian/core';
import { type RowWork, arrange, floorOf, groupByRow } from './batch.js';
import { decideForeignKeys } from './foreign-keys.js';
import { recordParking } from './parking-records.js';
import { type RowOutcome, contendedOutcome, isPlain, plainOutcome } from './row-outcome.js';
import { TakeAgain, orRetry } from './take-again.js';
import { decideUniqueKeys, showWritten } from './virtual-rows.js';

export interface ApplierEvents {
  /** An attempt was rolled back and is taken again: contention with local writers, or somebody who holds a row for long. */
  retried(because: Retry, attempts: number): void;
  applied(ticks: readonly Tick[], conflicts: number): void;
}

/**
 * Applies ticks in one transaction (design 5, the seven steps). Taken again until it is through: local transactions are never
 * ended for its sake. One at a time per region; a second one finds the vector moved on and steps back.
 */
export class Applier {
  constructor(
    private readonly store: ApplyStore,
    private readonly digest: Digest,
    private readonly events: ApplierEvents,
  ) {}

  /** `overtaken`: another applier was here, nothing was done. The ticks are causally ordered and ready (`readyBatch`). */
  async apply(ticks: readonly Tick[], positions: Positions = new Map()): Promise<'applied' | 'overtaken'> {
    let alsoLock: readonly RowRef[] = [];
    for (let attempts = 1; ; attempts++) {
      const outcome = await this.attempt(ticks, positions, alsoLock);
      if (outcome.kind === 'applied') {
        this.events.applied(ticks, outcome.conflicts);
        return 'applied';
      }
      if (outcome.kind === 'lock') {
        alsoLock = [...alsoLock, ...outcome.rows];
        continue;
      }
      if (outcome.because.retry === 'overtaken') return 'overtaken';
      this.events.retried(outcome.because, attempts);
    }
  }

  private async attempt(
    ticks: readonly Tick[],
    positions: Positions,
    alsoLock: readonly RowRef[],
  ): Promise<AttemptOutcome> {
    const tables = await this.store.tables();
    const tx = await this.store.begin();
    let open = true;
    try {
      const outcome = await new Attempt(tx, this.store.region, this.digest, tables, ticks, positions).run(alsoLock);
      if (outcome.kind !== 'applied') return outcome;
      open = false;
      orRetry(await tx.commit());
      return outcome;
    } catch (error) {
      if (error instanceof TakeAgain) return { kind: 'retry', because: error.because };
      throw error;
    } finally {
      if (open) await tx.rollback();
    }
  }
}

type AttemptOutcome =
  | { readonly kind: 'applied'; readonly conflicts: number }
  | { readonly kind: 'retry'; readonly because: Retry }
  /** Rows that contend with the batch's: to be locked with it, in order. */
  | { readonly kind: 'lock'; readonly rows: readonly RowRef[] };

class Attempt {
  private readonly work: readonly RowWork[];

  constructor(
    private readonly tx: ApplyTransaction,
    private readonly region: ApplyStore['region'],
    private readonly digest: Digest,
    private readonly tables: ReadonlyMap<TableName, TableSpec>,
    private readonly ticks: readonly Tick[],
    private readonly positions: Positions,
  ) {
    this.work = arrange(ticks, tables);
  }

  async run(alsoLock: readonly RowRef[]): Promise<AttemptOutcome> {
    const { tx, ticks, work } = this;
    const rows = work.map((w) => w.ref);
    const held = orRetry(await tx.lock([...rows, ...alsoLock])); // 1
    const entries = await tx.entriesAbove(rows, floorOf(ticks)); // 2
    const outcomes = await this.decide(held, entries);
    const unique = await this.decideUnique(outcomes, held);
    if (unique.toLock.length > 0) return { kind: 'lock', rows: unique.toLock };
    const foreign = await decideForeignKeys(tx, this.tables, unique.effects, held);
    if (foreign.toLock.length > 0) return { kind: 'lock', rows: foreign.toLock };
    orRetry(await tx.write(foreign.effects)); // 3, 4
    const conflicts = await this.keep(outcomes, foreign.effects);
    orRetry(await tx.advance(ticks, this.positions)); // 5
    await this.assertChecked(rows); // 6
    if (rows.some((ref) => held.get(rowId(ref)) !== 'table')) await this.lookAgain(rows, entries); // 7
    return { kind: 'applied', conflicts };
  }

  private async decide(held: Held, entries: readonly Entry[]): Promise<RowOutcome[]> {
    const byRow = groupByRow(entries);
    const plain = new Set(this.work.filter((w) => isPlain(w, byRow.get(rowId(w.ref)) ?? [])));
    const contended = this.work.filter((w) => !plain.has(w));
    const states = contended.length === 0 ? new Map() : await this.tx.read(contended.map((w) => w.ref));
    return this.work.map((w) => {
      const id = rowId(w.ref);
      return plain.has(w)
        ? plainOutcome(w, held.get(id) ?? null)
        : contendedOutcome(w, byRow.get(id) ?? [], states.get(id));
    });
  }

  private async decideUnique(
    outcomes: readonly RowOutcome[],
    held: Held,
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

  /** The log, the images of deleted rows, the races and the conflict records, all in this transaction. */
  private async keep(outcomes: readonly RowOutcome[], effects: readonly RowEffect[]): Promise<number> {
    const { tx, digest, region } = this;
    await tx.append(this.ticks);
    const images = outcomes.flatMap((o) => (o.image === null ? [] : [{ ref: o.ref, image: valuesText(o.image) }]));
    if (images.length > 0) await tx.keepImages(images);
    const races = outcomes.flatMap((o) => o.races);
    if (races.length > 0) await tx.recordRaces(races);
    const recordings = outcomes.flatMap((o) => o.recordings);
    const ids = touchedRecordIds(digest, region, recordings);
    const existing = ids.length === 0 ? new Map() : await tx.conflictRecords(ids);
    const records = [
      ...recordVerdicts(digest, region, recordings, existing),
      ...(await recordParking(tx, digest, region, effects)),
    ];
    if (records.length > 0) await tx.recordConflicts(records);
    return records.length;
  }

  private async assertChecked(rows: readonly RowRef[]): Promise<void> {
    const violated = await this.tx.check(rows);
    if (violated.length > 0) throw new Error(`apply would violate ${violated.map((v) => v.constraint).join(', ')}`);
  }

  /**
   * A key without a row in its table could not be locked (a parked entry's lock keeps nobody from inserting the key): a local insert (or an insert and a delete) may have come since step 2. Under the
   * cut lock no tick is cut until we have committed, so an entry that step 2 has not seen is seen now or comes after us.
   */
  private async lookAgain(rows: readonly RowRef[], seen: readonly Entry[]): Promise<void> {
    await this.tx.takeCutLock();
    const known = new Set([...seen, ...this.work.flatMap((w) => w.arriving)].map(changeRef));
    const now = await this.tx.entriesAbove(rows, floorOf(this.ticks));
    const late = now.find((e) => !known.has(changeRef(e)));
    if (late !== undefined)
      throw new TakeAgain({
        retry: 'row appeared',
        detail: `${late.table} ${late.key} was written while the batch was decided`,
      });
  }
}

/** Where the transport goes on after the last of the ticks, by origin. */
type Positions = ReadonlyMap<RegionId, string>;

type Held = ReadonlyMap<string, RowOutcome['place'] & string>;

/** A parked row takes its changes where it is, until a unique or foreign key decision shows it. */
function placed(outcome: RowOutcome, effect: RowEffect): RowEffect {
  return outcome.place === 'parked' && effect.kind === 'delete' ? { ...outcome.ref, kind: 'unpark' } : effect;
}
