import {
  type Change,
  type Cut,
  GENESIS_DIGEST,
  type RegionId,
  type Seq,
  stamp,
  type Tick,
  type TickHeader,
  type Vector,
} from '@meridian/core';
import type { Row, Session } from '../connection/session.js';
import { changeOf, inOrderOfWriting, type LoggedChange } from './change-row.js';
import { FREE_CUT_LOCK, OPEN_CUT, TAKE_CUT_LOCK, WRITE_TICK, WRITE_TICK_0 } from './cut-sql.js';
import { TickOvertakenError } from './errors.js';
import { MARK_UNSEEN } from './mark-unseen.sql.js';
import { racesBetween, withUnseen } from './races.js';

/** A tick in the making: a REPEATABLE READ transaction, begun under the cut lock, which is freed after its end. */
export class PgCut implements Cut {
  private constructor(
    private readonly session: Session,
    private readonly release: () => void,
    readonly header: TickHeader,
    private readonly snapshot: string,
    private readonly logged: readonly LoggedChange[],
    /** Changes wait for a table that cannot take them here. */
    private readonly waiting: boolean,
  ) {}

  /** Three round trips to find that there is nothing to ship: the lock, this transaction, and its end. */
  static async open(region: RegionId, session: Session, release: () => void): Promise<PgCut> {
    try {
      await session.query(TAKE_CUT_LOCK);
      const [, header, changes] = await session.script(OPEN_CUT);
      const row = header!.rows[0]!;
      const logged = changes!.rows.map(changeOf);
      return new PgCut(session, release, headerOf(region, row), row[0]!, logged, row.at(-1) === 't');
    } catch (error) {
      await end(session, 'ROLLBACK');
      release();
      throw error;
    }
  }

  async changes(): Promise<readonly Change[]> {
    const ordered = inOrderOfWriting(this.logged);
    if (ordered.length === 0) return [];
    const ids = ordered.map((c) => c.logId);
    if (this.waiting) await this.session.query(MARK_UNSEEN, [ids, ordered.map((c) => c.change.table)]);
    const races = await racesBetween(this.session, least(ids), greatest(ids));
    return ordered.map(({ change }) => withUnseen(change, races, this.header.deps));
  }

  async commit(tick: Tick): Promise<void> {
    try {
      if (tick.seq === 1) await this.session.query(WRITE_TICK_0, [tick.origin]);
      const { count } = await this.session.query(
        WRITE_TICK,
        [
          ...[tick.origin, tick.seq, this.snapshot, JSON.stringify(tick.deps), tick.stamp, tick.wall],
          ...[tick.previous, tick.digest, tick.changes.length],
        ],
        'write_tick',
      );
      if (count !== 1) throw new TickOvertakenError(tick, undefined);
      await this.session.script(`COMMIT; ${FREE_CUT_LOCK}`);
      this.release();
    } catch (error) {
      await this.abandon();
      throw OVERTAKEN.has((error as { code?: string }).code ?? '') ? new TickOvertakenError(tick, error) : error;
    }
  }

  async abandon(): Promise<void> {
    await end(this.session, 'ROLLBACK');
    this.release();
  }
}

/** Another relay wrote this seq: unique violation; or advanced the vector beside us: serialization failure. */
const OVERTAKEN: ReadonlySet<string> = new Set(['23505', '40001']);

/** The end of a session ends its transaction and frees its locks. */
async function end(session: Session, how: 'ROLLBACK'): Promise<void> {
  if (session.alive) await session.script(`${how}; ${FREE_CUT_LOCK}`).catch(() => session.close());
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
