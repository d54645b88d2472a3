import fc from 'fast-check';
import { applyUpdate, Doc } from 'yjs';
import type { Entry } from '../../causality/coverage.js';
import { covers, maximal } from '../../causality/coverage.js';
import { type Values, beforeOf, patchOf, valueIn, valuesText } from '../../change/change.js';
import type { RegionId, Seq } from '../../ids.js';
import { type Vector, at, withSeq } from '../../vector.js';
import { mergeText } from './merge-text.js';
import { BASE_CLIENT, textClient } from './text-client.js';
import { textEdits } from './text-edits.js';
import { textMembers, writesColumn } from './text-members.js';

/*
 * One text in three or four regions that write, cut ticks and apply those of the others in any causal order, races included. A
 * region decides what arrives as apply does: among what its writer had not seen.
 */

interface Tick {
  readonly origin: RegionId;
  readonly seq: Seq;
  readonly deps: Vector;
  readonly changes: readonly Entry[];
}

class Region {
  log: Entry[] = [];
  text: string | null;
  exists: boolean;
  applied: Vector = {};

  constructor(
    readonly name: RegionId,
    start: string | null,
  ) {
    this.text = start;
    this.exists = start !== null;
  }
}

const NAMES = ['us', 'eu', 'ap', 'sa'] as RegionId[];

class World {
  readonly regions: readonly Region[];
  readonly ticks: Tick[] = [];
  protected ids = 0;

  constructor(count: number, start: string | null) {
    this.regions = NAMES.slice(0, count).map((name) => new Region(name, start));
  }

  write(region: Region, edit: (text: string, word: string) => string | null, anew: string | null): void {
    const word = `w${++this.ids}`;
    if (!region.exists) return this.log(region, 'insert', null, anew ?? 'one two');
    if (anew !== null) {
      this.log(region, 'delete', region.text, null);
      this.ids++;
      return this.log(region, 'insert', null, anew);
    }
    this.log(region, 'update', region.text, edit(region.text ?? '', word));
  }

  protected log(region: Region, op: Entry['op'], before: string | null, text: string | null): void {
    const change = {
      ...{ origin: region.name, id: this.ids, seq: null, deps: null, unseen: null, ranks: null, actor: '', epoch: 1 },
      ...{ table: 'public.notes', key: '["1"]', op, wall: 0n, stamp: BigInt(this.ids) },
      patch: op === 'delete' ? null : valuesText({ body: text }),
      before: op === 'insert' ? null : valuesText({ body: before }),
    } as unknown as Entry;
    region.log.push(change);
    region.exists = op !== 'delete';
    region.text = text;
  }

  cut(region: Region): void {
    const mine = region.log.filter((e) => e.seq === null);
    const seq = (at(region.applied, region.name) + 1) as Seq;
    const deps = region.applied;
    region.log = region.log.map((e) => (e.seq === null ? { ...e, seq, deps } : e));
    region.applied = withSeq(region.applied, region.name, seq);
    const changes = region.log.filter((e) => mine.some((m) => m.id === e.id && m.origin === e.origin));
    this.ticks.push({ origin: region.name, seq, deps, changes });
  }

  /** Of the ticks that are ready here, the one that `draw` says. */
  apply(region: Region, draw: number): boolean {
    const ready = this.ticks.filter(
      (t) =>
        t.origin !== region.name &&
        at(region.applied, t.origin) === t.seq - 1 &&
        Object.keys(t.deps).every((o) => at(region.applied, o as RegionId) >= at(t.deps, o as RegionId)),
    );
    const tick = ready[draw % ready.length];
    if (tick === undefined) return false;
    for (const change of tick.changes) this.arrive(region, change);
    region.applied = withSeq(region.applied, tick.origin, tick.seq);
    return true;
  }

  protected arrive(region: Region, change: Entry): void {
    region.log = region.log.map((e) =>
      e.deps === null && !Object.hasOwn(e.unseen ?? {}, change.origin)
        ? { ...e, unseen: withSeq(e.unseen ?? {}, change.origin, change.seq!) }
        : e,
    );
    const writers = writersIn(region.log);
    region.log.push(change);
    const deletes = maximal(region.log).every((e) => e.op === 'delete');
    region.exists = !deletes;
    if (!writesColumn('body', change)) return;
    region.text = writers.every((e) => covers(change, e))
      ? valueIn(patchOf(change), 'body')
      : mergeText('body', textMembers([change], writers));
  }

  exchange(): void {
    for (const region of this.regions) this.cut(region);
    for (let moved = true; moved;) {
      moved = false;
      for (const region of this.regions) moved = this.apply(region, 0) || moved;
    }
  }
}

/** Beside it every region edits a document of its own, which Yjs keeps for it, and sends on what Yjs says was done. */
class LiveWorld extends World {
  private readonly docs = new Map<Region, Doc>();
  private readonly updates = new Map<number, Uint8Array>();

  constructor(count: number, start: string) {
    super(count, start);
    for (const region of this.regions) {
      const doc = new Doc();
      doc.clientID = BASE_CLIENT;
      doc.getText('text').insert(0, start);
      doc.clientID = textClient(region.name);
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin === 'here') this.updates.set(this.ids, update);
      });
      this.docs.set(region, doc);
    }
  }

  liveText(region: Region): string {
    return this.docs.get(region)!.getText('text').toJSON();
  }

  protected override log(region: Region, op: Entry['op'], before: string | null, text: string | null): void {
    const doc = this.docs.get(region)!;
    const edits = textEdits(before ?? '', text ?? '');
    doc.transact(() => {
      for (const { at: place, remove, insert } of edits) {
        doc.getText('text').delete(place, remove);
        doc.getText('text').insert(place, insert);
      }
    }, 'here');
    super.log(region, op, before, text);
  }

  protected override arrive(region: Region, change: Entry): void {
    const update = this.updates.get(change.id);
    if (update !== undefined) applyUpdate(this.docs.get(region)!, update);
    super.arrive(region, change);
  }
}

const writersIn = (log: readonly Entry[]): Entry[] => log.filter((e) => writesColumn('body', e));

const EDITS: readonly ((place: number) => (text: string, word: string) => string | null)[] = [
  (place) => (text, word) => words(text).toSpliced(place, 0, word).join(' '),
  (place) => (text, word) => words(text).toSpliced(place, 1, word).join(' '),
  (place) => (text) => words(text).toSpliced(place, 1).join(' '),
  (place) => (text) => words(text).toSpliced(place, 3).join(' '),
  (place) => (text, word) => words(text).toSpliced(place, 0, word, `${word}b`, `${word}c`).join(' '),
  () => (text, word) => `${text}\n${word}`,
  () => () => null,
];
const words = (text: string): string[] => text.split(/\s/);

type Step = (world: World) => void;
const where = fc.nat({ max: 3 });
const writing = (anew: fc.Arbitrary<string | null>): fc.Arbitrary<Step> =>
  fc
    .record({ region: where, edit: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4, 5, 6), place: fc.nat({ max: 12 }), anew })
    .map(({ region, edit, place, anew: text }) => (world) => {
      world.write(regionOf(world, region), EDITS[edit]!(place), text);
    });
const taking: readonly fc.MaybeWeightedArbitrary<Step>[] = [
  {
    weight: 3,
    arbitrary: where.map(
      (region): Step =>
        (world) =>
          world.cut(regionOf(world, region)),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(where, fc.nat()).map(([region, draw]): Step => (world) => {
      world.apply(regionOf(world, region), draw);
    }),
  },
];
/** Of a row that is there all the time. */
const edits = fc.oneof({ weight: 4, arbitrary: writing(fc.constant(null)) }, ...taking);
/** Rows that are deleted and inserted anew, with equal texts and others. */
const NEW = fc.constantFrom('one two', 'one two', '', 'three', ...Array<null>(17).fill(null));
const step = fc.oneof({ weight: 4, arbitrary: writing(NEW) }, ...taking);
const regionOf = (world: World, place: number): Region => world.regions[place % world.regions.length]!;

const histories = fc.record({
  regions: fc.constantFrom(3, 4),
  start: fc.constantFrom('the quick brown fox jumps over the lazy dog', '', null),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
});
const RUNS = { numRuns: Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? 100) };

interface History {
  readonly regions: number;
  readonly start: string | null;
  readonly steps: readonly Step[];
}

function played<W extends World>({ regions, start, steps }: History, of: new (count: number, start: string) => W): W {
  const world = new of(regions, start as string);
  for (const take of steps) take(world);
  world.exchange();
  return world;
}

describe('laws of a merged text', () => {
  it('every region ends with one text, whatever the order of arrival, races or not (I2, I6)', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const [first, ...others] = played(history, World).regions;
        for (const other of others) expect([other.exists, other.text]).toEqual([first!.exists, first!.text]);
      }),
      RUNS,
    );
  });

  it('the text is the same wherever the base is cut: of all changes ever made, or of those among which the last were made', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const [{ log }] = played(history, World).regions as readonly [Region];
        const writers = writersIn(log);
        if (writers.length === 0) return;
        const whole = mergeText('body', writers);
        expect(mergeText('body', textMembers(maximal(writers), writers))).toBe(whole);
        for (const start of writers.filter((_, i) => i % 3 === 0)) {
          const members = textMembers([...maximal(writers), start], writers);
          expect(mergeText('body', members)).toBe(whole);
        }
        expect(mergeText('body', writers.toReversed())).toBe(whole);
      }),
      RUNS,
    );
  });

  it('is what Yjs makes of the same edits where each region keeps a document of its own', () => {
    const edited = fc.record({
      regions: fc.constant(3),
      start: fc.constant('one two three'),
      steps: fc.array(edits, { maxLength: 60, size: 'max' }),
    });
    fc.assert(
      fc.property(edited, (history) => {
        const world = played(history, LiveWorld);
        for (const region of world.regions) expect(region.text ?? '').toBe(world.liveText(region));
      }),
      RUNS,
    );
  });

  it('a word that is put in is there once, as often as nobody who had seen it took it out', () => {
    const putIn = fc.record({
      regions: fc.constantFrom(3, 4),
      start: fc.constantFrom('one two', ''),
      steps: fc.array(edits, { maxLength: 60, size: 'max' }),
    });
    fc.assert(
      fc.property(putIn, (history) => {
        const [{ log, text }] = played(history, World).regions as readonly [Region];
        const writers = writersIn(log);
        const writes = writers.map((e) => ({ e, was: bag(beforeOf(e)), is: bag(patchOf(e)) }));
        for (const { e, was, is } of writes)
          for (const word of is.keys()) {
            if (was.has(word) || !word.startsWith('w')) continue;
            const removed = writes.some((w) => covers(w.e, e) && w.was.has(word) && !w.is.has(word));
            expect(bag({ body: text }).get(word) ?? 0).toBe(removed ? 0 : 1);
          }
      }),
      RUNS,
    );
  });
});

/** How often each word is there. */
function bag(values: Values): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of (valueIn(values, 'body') ?? '').match(/w\d+[bc]?/g) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
