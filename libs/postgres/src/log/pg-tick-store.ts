import {
  type Cut,
  type Digest,
  type RegionId,
  type Seq,
  type Tick,
  type TickStore,
  type Vector,
  at,
  withSeq,
} from '@meridian/core';
import type { ClientConfig } from 'pg';
import { PinnedConnection } from '../connection/pinned-connection.js';
import { openSession, RELAY_SETTINGS } from '../connection/settings.js';
import type { Session } from '../connection/session.js';
import { prepareCut } from './cut-sql.js';
import { sha256 } from './digest.js';
import { dropPartitions } from './drop-below.js';
import { OwnSnapshots } from './own-snapshots.js';
import { PgCut } from './pg-cut.js';
import { ensurePartitions } from './partitions.js';
import { readTicks, type TickLimit } from './read-ticks.js';
import { currentSnapshot, isLoggedSince } from './snapshot.js';
import { cutOfTexts } from './text-cut.js';

export interface PgTickStoreOptions {
  readonly region: RegionId;
  /** The owner role: `postgres.url`. */
  readonly connection: ClientConfig;
  /** How long the log is kept for those who look at history, beyond what replication needs. */
  readonly historyMs: number;
  readonly digest?: Digest;
}

/** The log in PostgreSQL. Three sessions: cuts hold the cut lock, peers read, maintenance waits for locks. */
export class PgTickStore implements TickStore {
  readonly region: RegionId;
  private readonly relay: PinnedConnection;
  private readonly reader: PinnedConnection;
  private readonly maintenance: PinnedConnection;
  private readonly digest: Digest;
  private readonly snapshots: OwnSnapshots;
  /** Whatever it shows has been cut; null: not known. */
  private seen: string | null = null;

  constructor(private readonly options: PgTickStoreOptions) {
    this.region = options.region;
    this.digest = options.digest ?? sha256;
    this.snapshots = new OwnSnapshots(options.region);
    this.relay = new PinnedConnection(() => this.openRelay());
    this.reader = new PinnedConnection(() => this.open('tick reader'));
    this.maintenance = new PinnedConnection(() => this.open('maintenance'));
  }

  /**
   * A transaction that has a number, and so may have written, changes the snapshot by its end. So does apply, in a region that
   * only receives for every batch: whether there is a local change among what is new costs a tenth of a cut that finds none.
   */
  async hasMoved(): Promise<boolean> {
    return this.relay.use(async (session) => {
      const snapshot = await currentSnapshot(session);
      if (snapshot === this.seen) return false;
      if (this.seen === null || (await isLoggedSince(session, this.seen))) return true;
      this.seen = snapshot;
      return false;
    });
  }

  async openCut(): Promise<Cut> {
    const { session, release } = await this.relay.acquire();
    const cut = await PgCut.open(this.region, session, release);
    this.seen = cut.snapshot;
    return cut;
  }

  async readTicks(origin: RegionId, from: Seq, limit: TickLimit): Promise<readonly Tick[]> {
    return this.reader.use((session) => readTicks(session, this.region, this.digest, origin, from, limit));
  }

  /** A member that is not in the map has applied nothing that is known here: the stable cut counts it as 0. */
  async lastDeps(): Promise<ReadonlyMap<RegionId, Vector>> {
    const { rows } = await this.reader.use((s) => s.query('SELECT origin, seq, deps FROM meridian.applied'));
    const applied = Object.fromEntries(rows.map(([origin, seq]) => [origin!, Number(seq) as Seq]));
    return new Map(
      rows.map(([origin, seq, deps]) => {
        const region = origin as RegionId;
        return [
          region,
          region === this.region ? applied : withSeq(JSON.parse(deps!) as Vector, region, Number(seq) as Seq),
        ];
      }),
    );
  }

  async dropBelow(stableCut: Vector): Promise<number> {
    return this.maintenance.use(async (session) => {
      // Their decision needs the log as it was: what is stable elsewhere is not yet applied here.
      const { rows } = await session.query('SELECT EXISTS (SELECT FROM meridian.waiting_change)');
      if (rows[0]![0] === 't') return 0;
      const { region, options, snapshots } = this;
      const stable = await snapshots.of(session, at(stableCut, region));
      if (stable === null) return 0;
      const cut = await cutOfTexts(session, region, snapshots, { cut: stableCut, snapshot: stable });
      const snapshot = await snapshots.of(session, at(cut, region));
      if (snapshot === null) return 0;
      return dropPartitions(session, { region, cut, snapshot, historyMs: options.historyMs });
    });
  }

  /** At the start, and every few seconds: see {@link ensurePartitions}. */
  async maintainPartitions(): Promise<number> {
    return this.maintenance.use(ensurePartitions);
  }

  async close(): Promise<void> {
    await Promise.all([this.relay.close(), this.reader.close(), this.maintenance.close()]);
  }

  private open(role: string): Promise<Session> {
    return openSession(this.options.connection, role, RELAY_SETTINGS);
  }

  private async openRelay(): Promise<Session> {
    const session = await this.open('relay');
    await session.script(prepareCut(this.region));
    return session;
  }
}
