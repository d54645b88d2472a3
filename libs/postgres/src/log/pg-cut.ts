import {
  type Change,
  type Cut,
  type FoldingOf,
  GENESIS_DIGEST,
  type RegionId,
  type Seq,
  stamp,
  type Tick,
  type TickHeader,
  type Vector,
} from '@meridian/core';
import { answersTo, type Row, type Session } from '../connection/session.js';
import { changeOf, inOrderOfWriting, type LoggedChange } from './change-row.js';
import { cutChanges, FREE_CUT_LOCK, OPEN_CUT, TAKE_CUT_LOCK, WRITE_TICK, WRITE_TICK_0 } from './cut-sql.js';
import { TickOvertakenError } from './errors.js';
import { foldingIn } from './folding.js';
import { MARK_UNSEEN } from './mark-unseen.sql.js';
import { inPages, isFull } from './pages.js';
import { NO_RACES, type Races, racesBetween, withUnseen } from './races.js';

/** A tick in the making: a REPEATABLE READ transaction, begun under the cut lock, which is freed after its end. */
export class PgCut implements Cut {
  readonly header: TickHeader;
  readonly folding: FoldingOf;
  /** As pg_snapshot writes it. */
  readonly snapshot: string;
  /** Changes wait for a table that cannot take them here. */
  private readonly waiting: boolean;
  private readonly lastRace: number;

  private constructor(
    private readonly session: Session,
    private readonly release: () => void,
    region: RegionId,
    row: Row,
    private readonly logged: readonly LoggedChange[],
  ) {
    this.header = headerOf(region, row);
    this.snapshot = row[0]!;
    this.waiting = row[6] === 't';
    this.lastRace = Number(row[7] ?? -1);
    this.folding = foldingIn(row[8] ?? null);
  }

  static async open(region: RegionId, session: Session, release: () => void): Promise<PgCut> {
    try {
      const locking = session.query(TAKE_CUT_LOCK);
      const opening = session.script(OPEN_CUT);
      await answersTo<unknown>([locking, opening]);
      const [, header, first] = await opening;
      // Nearly always all of it: only a full page has others behind it.
      const logged = isFull(first!.rows) ? await inPages(session, cutChanges(region)) : first!.rows.map(changeOf);
      return new PgCut(session, release, region, header!.rows[0]!, logged);
    } catch (error) {
      await end(session, 'ROLLBACK').catch(() => undefined);
      release();
      throw error;
    }
  }

  async changes(): Promise<readonly Change[]> {
    const ordered = inOrderOfWriting(this.logged);
    if (ordered.length === 0) return [];
    const ids = ordered.map((c) => c.logId);
    if (this.waiting) await this.session.query(MARK_UNSEEN, [ids, ordered.map((c) => c.change.table)]);
    const races = await this.racesOf(ids);
    return ordered.map(({ change }) => withUnseen(change, races, this.header.deps));
  }

  /** In one round trip: where the tick's row is refused, the COMMIT behind it is a rollback. */
  async commit(tick: Tick): Promise<void> {
    try {
      await answersTo([this.write(tick), end(this.session, 'COMMIT')]);
    } catch (error) {
      throw OVERTAKEN.has((error as { code?: string }).code ?? '') ? new TickOvertakenError(tick, error) : error;
    } finally {
      this.release();
    }
  }

  async abandon(): Promise<void> {
    await end(this.session, 'ROLLBACK').catch(() => undefined);
    this.release();
  }

  private async write(tick: Tick): Promise<void> {
    const first = tick.seq === 1 ? this.session.query(WRITE_TICK_0, [tick.origin]) : undefined;
    const values = [
      ...[tick.origin, tick.seq, this.snapshot, JSON.stringify(tick.deps), tick.stamp, tick.wall],
      ...[tick.previous, tick.digest, tick.changes.length],
    ];
    await Promise.all([first, this.session.query(WRITE_TICK, values, 'write_tick')]);
  }

  /**
   * Races are few and old: nearly always the newest one, as the snapshot shows it, belongs to a change that was shipped long
   * ago; unless this cut has just marked its own changes.
   */
  private async racesOf(ids: readonly number[]): Promise<Races> {
    return !this.waiting && this.lastRace < least(ids)
      ? NO_RACES
      : racesBetween(this.session, least(ids), greatest(ids));
  }
}

/** Another relay wrote this seq: unique violation; advanced the vector before us: no null; or beside us: serialization failure. */
const OVERTAKEN: ReadonlySet<string> = new Set(['23505', '23502', '40001']);

/** Fails only with the session, whose end ends its transaction and frees its locks. */
async function end(session: Session, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  try {
    await session.script(`${how}; ${FREE_CUT_LOCK}`);
  } catch (error) {
    await session.close();
    throw error;
  }
}

function headerOf(region: RegionId, row: Row): TickHeader {
  const [, lastSeq, lastDigest, lastStamp, wall, applied] = row;
  const last = Number(lastSeq ?? 0);
  return {
    origin: region,
    seq: (last + 1) as Seq,
    deps: { ...(JSON.parse(applied ?? '{}') as Vector), [region]: last as Seq },
    stamp: stamp(BigInt(lastStamp!)),
    wall: BigInt(wall!),
    previous: lastDigest ?? GENESIS_DIGEST,
  };
}

const least = (of: readonly number[]): number => of.reduce((a, b) => Math.min(a, b));
const greatest = (of: readonly number[]): number => of.reduce((a, b) => Math.max(a, b));
