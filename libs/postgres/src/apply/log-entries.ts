import {
  type Enrolments,
  type Entry,
  EMPTY_VECTOR,
  isPast,
  type RegionId,
  type RowKey,
  type RowRef,
  distinctRows,
  type Seq,
  type TableName,
  type Vector,
  at,
  origins,
} from '@meridian/core';
import { expect, ROW_APPEARED } from '../connection/expectations.js';
import type { Row, Session, Text } from '../connection/session.js';
import { CHANGE_COLUMNS, changeOf, inOrderOfWriting, type LoggedChange } from '../log/change-row.js';
import { TickForgottenError } from '../log/errors.js';
import type { OwnSnapshots } from '../log/own-snapshots.js';
import { type Races, racesOf, withUnseen } from '../log/races.js';
import { currentSnapshot, firstThatShows, Snapshot } from '../log/snapshot.js';
import { FEW_ROWS } from './row-locks.js';

/** Deletes come with the newest image of their row. */
const COLUMNS = CHANGE_COLUMNS.map((c) => (c === 'before' ? 'coalesce(c.image, c.before) AS before' : `c.${c}`)).join(
  ', ',
);

/** Of a remote change's tick; of a local one its own tick is yet to be found. */
const DEPS = `(SELECT t.deps FROM meridian.tick t WHERE t.origin = e.origin AND t.seq = e.seq) AS deps`;

const UNSEEN_LOCAL = `c.seq IS NULL AND c.xid >= $1::xid8 AND NOT pg_visible_in_snapshot(c.xid, $2::pg_snapshot)`;

/*
 * LATERAL … OFFSET 0 keeps each lookup a lookup: left to itself the planner hashed the whole log of an origin to find the
 * handful of its changes above the floor (seen: 280 ms with 40,000 of them, against 0.1).
 */

/** By index on the row: right when the tail of the log is long. $3, $4: the rows; $5, $6: the floor. */
const BY_ROW = /* sql */ `
SELECT e.*, ${DEPS} FROM unnest($3::text[], $4::text[]) AS k(rel, pk)
 CROSS JOIN LATERAL (
   SELECT ${COLUMNS} FROM meridian.change c
    WHERE c.rel = k.rel AND c.pk::text = k.pk
      AND ((${UNSEEN_LOCAL}) OR c.seq > coalesce((SELECT f.seq FROM unnest($5::text[], $6::bigint[]) AS f(origin, seq) WHERE f.origin = c.origin), 0))
   OFFSET 0) e`;

/** Of every origin that was applied here; those that the floor does not name are at 0. */
const floors = (names: string, seqs: string): string =>
  `(SELECT a.origin, coalesce(n.seq, 0) AS seq FROM meridian.applied a LEFT JOIN unnest(${names}::text[], ${seqs}::bigint[]) AS n(origin, seq) USING (origin) OFFSET 0) f`;

/** By what the floor leaves uncovered, which in a quiet moment is nearly nothing, however many rows are asked for. */
const BY_TAIL = /* sql */ `
SELECT e.*, ${DEPS} FROM (
  SELECT ${COLUMNS} FROM meridian.change c WHERE ${UNSEEN_LOCAL}
  UNION ALL
  SELECT r.* FROM ${floors('$5', '$6')}
   CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM meridian.change c WHERE c.origin = f.origin AND c.seq > f.seq OFFSET 0) r
  OFFSET 0) e
 WHERE (rel, pk::text) IN (SELECT * FROM unnest($3::text[], $4::text[]))`;

const DELETED_ABOVE = /* sql */ `
SELECT DISTINCT e.rel, e.pk::text FROM (
  SELECT c.rel, c.pk, c.op FROM meridian.change c WHERE ${UNSEEN_LOCAL}
  UNION ALL
  SELECT r.* FROM ${floors('$4', '$5')}
   CROSS JOIN LATERAL (SELECT c.rel, c.pk, c.op FROM meridian.change c WHERE c.origin = f.origin AND c.seq > f.seq OFFSET 0) r
  OFFSET 0) e
 WHERE e.op = 'd' AND e.rel = ANY ($3)`;

/** How long the tail is, counted no further than matters. */
const TAIL_LENGTH = /* sql */ `
SELECT (SELECT count(*) FROM (SELECT FROM meridian.change c WHERE c.seq IS NULL AND c.xid >= $1::xid8 LIMIT $4) l)
     + (SELECT count(*) FROM ${floors('$2', '$3')}
         CROSS JOIN LATERAL (SELECT FROM meridian.change c WHERE c.origin = f.origin AND c.seq > f.seq LIMIT $4) r)`;

/** Step 7: of a transaction that step 2's snapshot ($1) does not show, and that is not ours. */
const LATE = `NOT pg_visible_in_snapshot(c.xid, $1::pg_snapshot) AND c.xid <> pg_current_xact_id()`;

const notLate = (late: string): string =>
  `SELECT ${expect(`NOT EXISTS (${late})`, ROW_APPEARED, `'a row was written while the batch was decided'`)}`;

const LOOK_AGAIN = notLate(/* sql */ `
SELECT FROM unnest($2::text[], $3::text[]) AS k(rel, pk)
 CROSS JOIN LATERAL (SELECT FROM meridian.change c WHERE c.rel = k.rel AND c.pk::text = k.pk AND ${LATE} OFFSET 0) l`);

/** What is late is all in the tail, and few: looked for there rather than row by row. */
const LOOK_AGAIN_AT_MANY = notLate(/* sql */ `
SELECT FROM (
  SELECT c.rel, c.pk FROM meridian.change c WHERE c.seq IS NULL AND c.xid >= pg_snapshot_xmin($1::pg_snapshot) AND ${LATE}
  UNION ALL
  SELECT r.* FROM ${floors('$4', '$5')}
   CROSS JOIN LATERAL (SELECT c.rel, c.pk FROM meridian.change c WHERE c.origin = f.origin AND c.seq > f.seq AND ${LATE} OFFSET 0) r
  OFFSET 0) e
 WHERE (rel, pk::text) IN (SELECT * FROM unnest($2::text[], $3::text[]))`);

const ALL_OF = /* sql */ `
SELECT e.*, ${DEPS} FROM unnest($1::text[], $2::text[]) AS k(rel, pk)
 CROSS JOIN LATERAL (SELECT ${COLUMNS} FROM meridian.change c WHERE c.rel = k.rel AND c.pk::text = k.pk OFFSET 0) e`;

const WAITING = /* sql */ `
SELECT e.*, ${DEPS} FROM (
  SELECT ${COLUMNS} FROM meridian.waiting_change w JOIN meridian.change c ON c.id = w.log_id WHERE w.rel = $1) e ORDER BY e.id`;

/** Looking a row up in nine partitions took as long as reading some 50 entries of the tail (measured). */
const TAIL_PER_ROW = 32;

/** What the log says of rows, as the core asks it: with the tick, its deps and what the writer had not seen. */
export class LogEntries {
  /** The snapshot that the first look was taken with, or one of a moment before. */
  private seen: string | undefined;

  constructor(
    private readonly session: Session,
    private readonly self: RegionId,
    private readonly snapshots: OwnSnapshots,
    private readonly ended: Enrolments['ended'],
  ) {}

  async above(wanted: readonly RowRef[], floor: Vector): Promise<readonly Entry[]> {
    const rows = distinctRows(wanted);
    if (rows.length === 0) return [];
    const snapshot = await this.snapshots.of(this.session, at(floor, this.self));
    if (snapshot === null) throw new TickForgottenError(this.self, at(floor, this.self));
    const [seen, logged] = await Promise.all([currentSnapshot(this.session), this.uncovered(rows, snapshot, floor)]);
    this.seen ??= seen;
    return this.entries(logged, at(floor, this.self));
  }

  /** Step 7: fails where the log has a change of these rows that the first {@link above} could not see. */
  lookAgain(wanted: readonly RowRef[], floor: Vector): Promise<unknown> {
    if (this.seen === undefined) throw new Error('rows are to be looked at again that were not looked at before');
    const rows = distinctRows(wanted);
    const values = [this.seen, rows.map((r) => r.table), rows.map((r) => r.key)];
    return rows.length <= FEW_ROWS
      ? this.session.query(LOOK_AGAIN, values, 'look_again')
      : this.session.query(LOOK_AGAIN_AT_MANY, [...values, origins(floor), Object.values(floor)], 'look_again_at_many');
  }

  async of(wanted: readonly RowRef[]): Promise<readonly Entry[]> {
    const rows = distinctRows(wanted);
    if (rows.length === 0) return [];
    const { rows: found } = await this.session.query(
      ALL_OF,
      [rows.map((r) => r.table), rows.map((r) => r.key)],
      'entries_of',
    );
    return this.entries(found.map(foundOf), 0);
  }

  /** Rows of these tables with a delete in the tail of the log. */
  async deletedAbove(tables: readonly TableName[], floor: Vector): Promise<readonly RowRef[]> {
    const snapshot = await this.snapshots.of(this.session, at(floor, this.self));
    if (snapshot === null) throw new TickForgottenError(this.self, at(floor, this.self));
    const { rows } = await this.session.query(
      DELETED_ABOVE,
      [snapshot.xmin, snapshot.text, tables, origins(floor), Object.values(floor)],
      'deleted_above',
    );
    return rows.map(([table, key]) => ({ table: table as TableName, key: key as RowKey }));
  }

  /** Of one table, in the order of the log. */
  async waiting(table: TableName): Promise<readonly Entry[]> {
    const { rows } = await this.session.query(WAITING, [table], 'waiting_changes');
    return this.entries(rows.map(foundOf), 0);
  }

  private async uncovered(rows: readonly RowRef[], snapshot: Snapshot, floor: Vector): Promise<readonly Found[]> {
    const values = [
      ...[snapshot.xmin, snapshot.text],
      ...[rows.map((r) => r.table), rows.map((r) => r.key), origins(floor), Object.values(floor)],
    ];
    const byTail = rows.length > FEW_ROWS && (await this.tailIsShort(snapshot, floor, rows.length * TAIL_PER_ROW));
    const { rows: found } = await this.session.query(
      byTail ? BY_TAIL : BY_ROW,
      values,
      byTail ? 'entries_by_tail' : 'entries_by_row',
    );
    return found.map(foundOf);
  }

  private async tailIsShort(snapshot: Snapshot, floor: Vector, limit: number): Promise<boolean> {
    const { rows } = await this.session.query(
      TAIL_LENGTH,
      [snapshot.xmin, origins(floor), Object.values(floor), limit],
      'tail_length',
    );
    return Number(rows[0]![0]) < limit;
  }

  private async entries(found: readonly Found[], ownFloor: number): Promise<readonly Entry[]> {
    const logged = this.ended.size === 0 ? found : found.filter(({ change }) => !isPast(change, this.ended));
    if (logged.length === 0) return [];
    const local = logged.filter((l) => l.change.seq === null);
    const own = local.length === 0 ? NO_TICKS : await this.ownTicks(ownFloor, local);
    const races = local.length === 0 ? null : await racesOf(this.session, local);
    const vectors = new Map<string | null, Vector>([[null, EMPTY_VECTOR]]);
    const vectorOf = (deps: string | null): Vector => {
      if (!vectors.has(deps)) vectors.set(deps, JSON.parse(deps!) as Vector);
      return vectors.get(deps)!;
    };
    return inOrderOfWriting(logged).map((l) =>
      l.change.seq === null ? localEntry(l, own, races!) : { ...l.change, deps: vectorOf(l.deps) },
    );
  }

  /** Own ticks above the floor that may be the first to show one of these: as many as were cut while a peer was not heard of. */
  private async ownTicks(floor: number, local: readonly LoggedChange[]): Promise<OwnTicks> {
    const oldest = local.reduce((least, l) => (l.xid < least ? l.xid : least), local[0]!.xid);
    const { rows } = await this.session.query(
      `SELECT seq, snapshot, deps FROM meridian.tick
        WHERE origin = $1 AND seq > $2 AND pg_snapshot_xmax(snapshot) > $3::xid8 ORDER BY seq`,
      [this.self, floor, oldest],
      'own_ticks',
    );
    return {
      snapshots: rows.map(([, snapshot]) => Snapshot.parse(snapshot!)),
      ticks: rows.map(([seq, , deps]) => ({ seq: Number(seq) as Seq, deps: deps! })),
    };
  }
}

/** With the deps of its tick, when it came in one. */
type Found = LoggedChange & { readonly deps: Text };

const foundOf = (row: Row): Found => ({ ...changeOf(row), deps: row.at(-1) ?? null });

interface OwnTicks {
  readonly snapshots: readonly Snapshot[];
  readonly ticks: readonly { readonly seq: Seq; readonly deps: string }[];
}
const NO_TICKS: OwnTicks = { snapshots: [], ticks: [] };

function localEntry({ change, xid }: LoggedChange, own: OwnTicks, races: Races): Entry {
  const tick = own.ticks[firstThatShows(own.snapshots, xid)];
  if (tick === undefined) return { ...change, unseen: races.get(change.id) ?? null, deps: null };
  const deps = JSON.parse(tick.deps) as Vector;
  return { ...withUnseen({ ...change, seq: tick.seq }, races, deps), deps };
}
