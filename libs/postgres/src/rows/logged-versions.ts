import {
  EMPTY_VECTOR,
  type Entry,
  type JsonText,
  type RegionId,
  type RowKey,
  type RowVersion,
  type Seq,
  type TableName,
  type Vector,
} from '@meridian/core';
import { CHANGE_COLUMNS, changeOf, inOrderOfWriting, type LoggedChange } from '../log/change-row.js';
import { NO_RACES, type Races, withUnseen } from '../log/races.js';
import { type TickOf, ticksThatShow } from './own-tick-search.js';
import type { ReadingTransaction } from './reading-transaction.js';

/** A version, and where it stands in this region's log. */
export interface LoggedVersion extends RowVersion {
  readonly logId: number;
}

export interface LogRow {
  readonly table: TableName;
  readonly key: RowKey;
}

/** Of a row's newest versions at or below a place in the log. */
export interface Window {
  readonly upTo: number | null;
  readonly most: number;
  /** Columns whose values are wanted; of all others that a version writes there are the names alone. Null: not even those. */
  readonly valuesOf: readonly string[] | null;
}

const NAMES_OF_WRITTEN = /* sql */ `CASE WHEN e.patch IS NOT NULL THEN coalesce((
  SELECT json_object_agg(v.key, CASE WHEN v.key = ANY ($6::text[]) THEN v.value END) FROM json_each_text(e.patch::json) v), '{}') END`;

/** A row may have a million versions, with values of any size: the window is chosen before anything of a version is looked at. */
const WINDOW = /* sql */ `
SELECT ${CHANGE_COLUMNS.map((c) => (c === 'before' ? 'NULL' : c === 'patch' ? `CASE WHEN $6::text[] IS NOT NULL THEN ${NAMES_OF_WRITTEN} END` : `e.${c}`)).join(', ')},
       EXISTS (SELECT FROM meridian.waiting_change w WHERE w.log_id = e.id),
       (SELECT t.deps FROM meridian.tick t WHERE t.origin = e.origin AND t.seq = e.seq)
  FROM (SELECT c.* FROM meridian.change c
         WHERE c.rel = $1 AND c.pk::text = $2 AND c.epoch > $3 AND ($4::bigint IS NULL OR c.id <= $4::bigint)
         ORDER BY c.id DESC LIMIT $5) e`;

/** `ended`: changes of enrolments up to this epoch are in all regions' rows, and versions no more. In the order of writing. */
export async function loggedVersions(
  reading: ReadingTransaction,
  region: RegionId,
  { table, key }: LogRow,
  ended: number,
  window: Window,
): Promise<readonly LoggedVersion[]> {
  const rows = await reading.query(WINDOW, [table, key, ended, window.upTo, window.most, window.valuesOf]);
  const found = rows.map((row) => ({ ...changeOf(row), waiting: row.at(-2) === 't', deps: row.at(-1) ?? null }));
  const local = found.filter((f) => f.change.seq === null);
  const xids = [...new Set(local.map((f) => f.xid))];
  const ticks = await ticksThatShow(reading, region, xids);
  const races = await racesOf(reading, local);
  const vectorOf = vectors();
  return inOrderOfWriting(found).map((f): LoggedVersion => {
    const { logId, waiting } = f;
    return f.change.seq === null
      ? { logId, waiting, ...localVersion(f, ticks.get(f.xid) ?? null, races, vectorOf) }
      : { logId, waiting, ...remoteVersion(f, vectorOf) };
  });
}

type VectorOf = (text: string) => Vector;

/** Ticks of one time have the same deps. */
function vectors(): VectorOf {
  const known = new Map<string, Vector>();
  return (text) => {
    const vector = known.get(text) ?? (JSON.parse(text) as Vector);
    known.set(text, vector);
    return vector;
  };
}

type Placed = Pick<RowVersion, 'entry' | 'seq' | 'traced'>;

const remoteVersion = (
  { change, deps }: LoggedChange & { readonly deps: string | null },
  vectorOf: VectorOf,
): Placed => ({
  entry: { ...change, deps: deps === null ? EMPTY_VECTOR : vectorOf(deps) },
  seq: change.seq,
  traced: deps !== null,
});

function localVersion({ change }: LoggedChange, tick: TickOf, races: Races, vectorOf: VectorOf): Placed {
  if (tick === null)
    return { entry: { ...change, unseen: races.get(change.id) ?? null, deps: null }, seq: null, traced: true };
  if ('upTo' in tick) return { entry: { ...change, seq: tick.upTo, deps: EMPTY_VECTOR }, seq: null, traced: false };
  const deps = vectorOf(tick.deps);
  const entry: Entry = { ...withUnseen({ ...change, seq: tick.seq }, races, deps), deps };
  return { entry, seq: tick.seq, traced: true };
}

async function racesOf(reading: ReadingTransaction, local: readonly LoggedChange[]): Promise<Races> {
  if (local.length === 0) return NO_RACES;
  const rows = await reading.query('SELECT change_id, origin, seq FROM meridian.race WHERE change_id = ANY ($1)', [
    local.map((l) => l.logId),
  ]);
  const races = new Map<Entry['id'], Record<string, Seq>>();
  for (const [id, origin, seq] of rows) {
    const change = Number(id) as Entry['id'];
    races.set(change, { ...races.get(change), [origin!]: Number(seq) as Seq });
  }
  return races;
}

/** The same versions with all that they wrote and wrote over. */
export async function withValues<T extends LoggedVersion>(
  reading: ReadingTransaction,
  { table, key }: LogRow,
  versions: readonly T[],
): Promise<readonly T[]> {
  if (versions.length === 0) return [];
  const rows = await reading.query(
    `SELECT c.id, c.patch, c.before FROM meridian.change c WHERE c.rel = $1 AND c.pk::text = $2 AND c.id = ANY ($3)`,
    [table, key, versions.map((v) => v.logId)],
  );
  const values = new Map(rows.map(([id, patch, before]) => [Number(id), { patch, before } as Texts]));
  return versions.map((v) => ({ ...v, entry: { ...v.entry, ...values.get(v.logId)! } }));
}

interface Texts {
  readonly patch: JsonText | null;
  readonly before: JsonText | null;
}
