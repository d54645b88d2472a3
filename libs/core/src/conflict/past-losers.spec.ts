import type { Entry } from '../causality/coverage.js';
import { entry } from '../change/change.builder.js';
import { type RowKey, type TableName, regionId } from '../ids.js';
import { pastLosers } from './past-losers.js';
import type { ConflictRecord } from './record.js';
import { type Recording, recordVerdicts } from './recording.js';
import { resolve } from './resolve.js';
import { itemsRow, itemsSpec } from './row.builder.js';

const REF = { table: 'public.items' as TableName, key: '["1"]' as RowKey };
const FIRST = itemsSpec({ kind: 'first-write' });

const x = (origin: string, id: number, seq: number, deps: Record<string, number> = {}): Entry =>
  entry(origin, id, { seq, deps, patch: { x: `${origin} ${id}` }, before: { x: '0' } });

/** us wrote first, ap beside it, and us again over its own; eu had both first ones, of which us's showed, and wrote over that. */
const first = x('us', 1, 1);
const lost = x('ap', 2, 1);
const again = x('us', 3, 2);
const over = x('eu', 4, 1, { us: 1, ap: 1 });

const past = (spec = FIRST, uncovered: readonly Entry[] = [again], seen: readonly Entry[] = [first, lost]) =>
  pastLosers(spec, over, uncovered, () => seen).map((v) => [v.columns, v.winner, v.losers]);

describe('what had lost in front of the writer of a change', () => {
  it('and came back where the change arrives, is lost', () => {
    expect(past()).toEqual([[['x'], first, [lost]]]);
  });

  it('is none where somebody has written over it who had it in front of them', () => {
    expect(past(FIRST, [again, x('sa', 5, 1, { ap: 1 })])).toEqual([]);
  });

  it('is none where the one that came back is what the writer had', () => {
    expect(past(FIRST, [again], [lost])).toEqual([]);
  });

  it('does not come back by stamp', () => {
    expect(past(itemsSpec({ kind: 'hlc' }))).toEqual([]);
  });
});

describe('the record of a change that came back and was written over by who had not had it', () => {
  const held = new Map<string, ConflictRecord>();
  beforeEach(() => held.clear());
  const status = (recordings: readonly Recording[]): string[] => {
    for (const record of recordVerdicts((text) => text, regionId('ap'), recordings, held)) held.set(record.id, record);
    return [...held.values()].map((r) => `${r.loser.id} ${r.status}: ${r.reason}`);
  };
  const decided = (arriving: Entry, uncovered: readonly Entry[]): Recording => ({
    ref: REF,
    resolution: resolve(FIRST, arriving, uncovered, itemsRow),
  });
  const arrivesOver: Recording = {
    ref: REF,
    resolution: {
      ...resolve(FIRST, over, [again], itemsRow),
      verdicts: pastLosers(FIRST, over, [again], () => [first, lost]),
    },
    past: true,
  };
  const told = "2 open: x: us's write won: its stamp is earlier within the same millisecond; ap had not yet seen it";

  it('is open, withdrawn, and open again (I3)', () => {
    expect(status([decided(first, [lost])])).toEqual([told]);
    expect(status([decided(again, [lost])])).toEqual([expect.stringContaining('2 withdrawn: ')]);
    expect(status([arrivesOver])).toEqual([told]);
  });

  it('is there also where one batch brought it all, of which nothing was kept', () => {
    expect(status([decided(first, [lost]), decided(again, [lost]), arrivesOver])).toEqual([told]);
  });

  it('stays as it is where it is told already, and is none of the winner', () => {
    status([decided(first, [lost])]);
    const before = [...held.values()];
    expect(recordVerdicts((text) => text, regionId('ap'), [arrivesOver], held)).toEqual([]);
    expect(recordVerdicts((text) => text, regionId('us'), [arrivesOver], held)).toEqual([]);
    expect([...held.values()]).toEqual(before);
  });
});
