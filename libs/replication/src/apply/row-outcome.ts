import {
  type Claim,
  type Entry,
  type JsonText,
  type Made,
  type MergeTried,
  type NetEffect,
  type PendingMerge,
  type Race,
  type Recording,
  type RowEffect,
  type RowRef,
  type RowState,
  type TableSpec,
  type Values,
  beforeOf,
  covers,
  lostNothing,
  mergePatch,
  mergesTried,
  netEffect,
  pastLosers,
  patchOf,
  rankOf,
  resolve,
  settle,
  textsOf,
  valuesText,
} from '@meridian/core';
import type { RowWork } from './batch.js';
import { MissingRowError, UnknownColumnError } from './errors.js';
import { RowEntries } from './row-entries.js';
import { RowTexts } from './row-texts.js';

/** What a batch does to one row, before unique and foreign keys have their say. */
export interface RowOutcome {
  readonly ref: RowRef;
  readonly spec: TableSpec;
  /** Where the row is now. */
  readonly place: RowState['place'] | null;
  readonly effect: RowEffect | null;
  /** The whole row after the effect, where it is known apart from the effect: decided anew, or looked at for unique keys. */
  readonly after: Values | null;
  /** By unique key's name: the rank of the write that set it, where this batch did. */
  readonly claims: ReadonlyMap<string, Claim>;
  readonly races: readonly Race[];
  readonly recordings: readonly Recording[];
  /** What was merged without a loser. */
  readonly merges: readonly MergeTried[];
  /** The image that every delete of this row brings along, when it was decided anew. */
  readonly image: Values | null;
}

/** Does every arriving change cover every entry of the row, and the arriving ones before it? Nearly always. */
export const isPlain = (work: RowWork, entries: readonly Entry[]): boolean =>
  work.arriving.every(
    (change, i) => entries.every((e) => covers(change, e)) && work.arriving.slice(0, i).every((a) => covers(change, a)),
  );

/** No uncovered entry: the net effect over the whole batch, set-based later on. */
export function plainOutcome(work: RowWork, place: RowState['place'] | null): RowOutcome {
  const { ref, spec, arriving } = work;
  const net = endOf(arriving, netEffect(arriving, new Set(spec.counters)));
  const claims = spec.uniqueKeys.length === 0 ? NO_CLAIMS : claimsOf(arriving, spec);
  // Nearly always one change: its own text, for the values of a large batch are not all to be there a second time.
  const patch = arriving.length === 1 ? arriving[0]!.patch : null;
  const effect = effectOf(ref, net, place, patch);
  const isWhole = net.kind === 'insert' || net.kind === 'replace';
  const after = isWhole && spec.uniqueKeys.length > 0 ? net.values : null;
  return { ref, spec, place, effect, after, claims, races: NONE, recordings: NONE, merges: NONE, image: null };
}

/** One for all rows of a batch that may have a million. */
const NO_CLAIMS: ReadonlyMap<string, Claim> = new Map();
const NONE: readonly never[] = [];

function claimsOf(arriving: readonly Entry[], spec: TableSpec): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const change of arriving) claimKeys(claims, spec, change);
  return claims;
}

/**
 * Inserted and deleted in one batch is nothing where the row was not; but here it may be: its origin had it parked, and an
 * insert covers the parked row of its key.
 */
const endOf = (arriving: readonly Entry[], net: NetEffect): NetEffect =>
  net.kind === 'nothing' && arriving.some((change) => change.op === 'delete') ? { kind: 'delete' } : net;

function effectOf(
  ref: RowRef,
  net: NetEffect,
  place: RowState['place'] | null,
  patch: JsonText | null,
): RowEffect | null {
  switch (net.kind) {
    case 'nothing':
      return null;
    case 'delete':
      return place === null ? null : { ...ref, kind: 'delete' };
    case 'insert':
    case 'replace':
      return { ...ref, kind: place === null ? 'insert' : 'replace', values: patch ?? valuesText(net.values) };
    case 'update':
      if (place === null) throw new MissingRowError(ref);
      return { ...ref, kind: 'update', values: patch ?? valuesText(net.values), counters: 'add' };
  }
}

/** Some entry is not covered: the row's changes one after another, each among what it had not seen. */
export class ContendedRow {
  private readonly counters: ReadonlySet<string>;
  private readonly entries: RowEntries;
  private readonly recordings: Recording[] = [];
  private merges: readonly { readonly tried: MergeTried; readonly at: number }[] = [];
  private readonly claims = new Map<string, Claim>();
  private readonly texts: RowTexts;
  /** By a register's columns: its last function, and of which recording. */
  private readonly undecided = new Map<readonly string[], { readonly merge: PendingMerge; readonly at: number }>();
  private exists: boolean;
  private present: Values | null;
  private image: Values | null = null;

  constructor(
    private readonly work: RowWork,
    entries: readonly Entry[],
    private readonly state: RowState | undefined,
    /** What the log's deletes of a row that is not here bring along. */
    private readonly deletedImage: Values | null,
  ) {
    this.counters = new Set(work.spec.counters);
    this.entries = new RowEntries(work.spec, entries);
    this.texts = new RowTexts(textsOf(work.spec));
    this.exists = state !== undefined;
    this.present = state?.values ?? null;
    for (const change of work.arriving) this.take(change);
    this.mergeTexts();
  }

  get ref(): RowRef {
    return this.work.ref;
  }

  /** What users' functions are to decide: of each register only the last time, for what came before went into it. */
  get pending(): readonly PendingMerge[] {
    return [...this.undecided.values()].map(({ merge }) => merge);
  }

  settle(merge: PendingMerge, made: Made): void {
    const { at } = this.undecided.get(merge.columns)!;
    this.undecided.delete(merge.columns);
    const { ref, resolution } = this.recordings[at]!;
    this.recordings[at] = { ref, resolution: settle(resolution, merge, made) };
    if (made.kind === 'failed') return;
    this.present = { ...this.present, ...made.values };
    if (this.image !== null) this.image = { ...this.image, ...made.values };
  }

  private take(change: Entry): void {
    const uncovered = this.entries.uncoveredBy(change);
    if (uncovered.length === 0) this.follow(change);
    else this.decide(change, uncovered);
    this.texts.note(change, uncovered);
    this.entries.push(change);
  }

  private mergeTexts(): void {
    for (const { value, verdict } of this.texts.decide(this.entries.all)) {
      const values = Object.fromEntries([[verdict.columns[0], value]]) as Values;
      this.present = { ...this.present, ...values };
      if (this.image !== null) this.image = { ...this.image, ...values };
      const resolution = { exists: this.exists, values: this.present, verdicts: [verdict], pending: [] };
      this.recordings.push({ ref: this.work.ref, resolution });
    }
  }

  /** A register that is written anew: what a function was to make of it is of no account any more. */
  private forgetDecided(written: Values): void {
    for (const [columns, { merge, at }] of this.undecided) {
      if (!columns.some((column) => Object.hasOwn(written, column))) continue;
      this.undecided.delete(columns);
      this.merges = this.merges.filter((m) => m.at !== at || m.tried.columns !== columns);
      const { ref, resolution } = this.recordings[at]!;
      this.recordings[at] = { ref, resolution: settle(resolution, merge, { kind: 'merged', values: {} }) };
    }
  }

  private follow(change: Entry): void {
    this.forgetDecided(patchOf(change));
    claimKeys(this.claims, this.work.spec, change);
    if (change.op === 'delete') {
      this.image = this.present ?? beforeOf(change);
      this.exists = false;
      return;
    }
    if (change.op === 'update' && !this.exists) throw new MissingRowError(this.work.ref);
    const first = change.op === 'insert' || this.present === null ? {} : this.present;
    this.present = mergePatch(first, patchOf(change), change.op === 'insert' ? new Set() : this.counters);
    this.exists = true;
  }

  private decide(change: Entry, uncovered: readonly Entry[]): void {
    const { spec, ref } = this.work;
    const unknown = Object.keys(patchOf(change)).find((column) => !isDecided(spec, column));
    if (unknown !== undefined) throw new UnknownColumnError(ref, unknown);
    const present = this.exists ? this.present : this.lastImage(change);
    const resolution = resolve(spec, change, uncovered, present);
    if (present === null && change.op !== 'insert' && resolution.exists) throw new MissingRowError(ref);
    const past = pastLosers(spec, change, uncovered, (columns) => this.entries.writersSeenBy(change, columns));
    if (past.length > 0) this.recordings.push({ ref, resolution: { ...resolution, verdicts: past }, past: true });
    this.forgetDecided(patchOf(change));
    for (const merge of resolution.pending) this.undecided.set(merge.columns, { merge, at: this.recordings.length });
    const at = this.recordings.push({ ref, resolution }) - 1;
    this.merges = [...this.merges, ...mergesTried(spec, change, uncovered).map((tried) => ({ tried, at }))];
    for (const { columns, winner } of resolution.verdicts)
      for (const key of spec.uniqueKeys)
        if (key.columns.some((c) => columns.includes(c))) this.claims.set(key.name, claimOf(winner, key.columns));
    this.exists = resolution.exists;
    this.present = resolution.values;
    if (!resolution.exists) this.image = resolution.values;
  }

  /** A delete's own image is as its writer saw the row; that of the log has taken what arrived since. */
  private lastImage(change: Entry): Values | null {
    return this.image ?? this.deletedImage ?? (change.op === 'delete' ? beforeOf(change) : null);
  }

  outcome(): RowOutcome {
    const { ref, spec } = this.work;
    return {
      ref,
      spec,
      place: this.state?.place ?? null,
      effect: this.effect(),
      after: this.exists ? this.present : null,
      claims: this.claims,
      races: this.entries.races,
      recordings: this.recordings,
      merges: this.merges.flatMap(({ tried, at }) =>
        lostNothing(tried, this.recordings[at]!.resolution) ? [tried] : [],
      ),
      image: this.exists ? null : this.image,
    };
  }

  private effect(): RowEffect | null {
    const { ref } = this.work;
    if (!this.exists) return this.state === undefined ? null : { ...ref, kind: 'delete' };
    if (this.state === undefined) return { ...ref, kind: 'insert', values: text(this.present) };
    const changed = Object.entries(this.present!).filter(([c, v]) => this.state!.values[c] !== v);
    if (changed.length === 0) return null;
    return { ...ref, kind: 'update', values: valuesText(Object.fromEntries(changed)), counters: 'set' };
  }
}

function claimKeys(claims: Map<string, Claim>, spec: TableSpec, change: Entry): void {
  if (change.op === 'delete' || spec.uniqueKeys.length === 0) return;
  const written = patchOf(change);
  for (const key of spec.uniqueKeys)
    if (key.columns.some((c) => Object.hasOwn(written, c))) claims.set(key.name, claimOf(change, key.columns));
}

const claimOf = (change: Entry, columns: readonly string[]): Claim => {
  const { stamp, id } = rankOf(change, columns[0]);
  return { stamp, origin: change.origin, id };
};

const text = (values: Values | null): JsonText => valuesText(values!);

const isDecided = (spec: TableSpec, column: string): boolean =>
  spec.keyColumns.includes(column) ||
  spec.counters.includes(column) ||
  spec.registers.some(({ columns }) => columns.includes(column));
