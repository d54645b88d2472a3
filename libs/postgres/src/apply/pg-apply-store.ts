import type { ApplyStore, ApplyTransaction, Enrolments, Head, RegionId, Seq, TableName } from '@meridian/core';
import type { ClientConfig } from 'pg';
import { PinnedConnection } from '../connection/pinned-connection.js';
import { type ApplySession, openApplySession, openSession, RELAY_SETTINGS } from '../connection/settings.js';
import { OwnSnapshots } from '../log/own-snapshots.js';
import type { Session } from '../connection/session.js';
import type { ApplyTable } from './apply-table.js';
import { type Blocker, blockersOf } from './blockers.js';
import { EnrolledTables } from './enrolled-tables.js';
import { SiblingWatch } from './open-siblings.js';
import { waitingTables } from './waiting-changes.js';
import { PgApplyTransaction } from './pg-apply-transaction.js';

export interface PgApplyStoreOptions {
  readonly region: RegionId;
  /** The apply role, for which capture does not fire. */
  readonly connection: ClientConfig;
  /** The owner role looks: apply's may not see what state the users' sessions are in. */
  readonly owner: ClientConfig;
}

/** The region's database as apply writes it. Two sessions: one applies, one looks (at the vector, the catalog, who blocks). */
export class PgApplyStore implements ApplyStore {
  readonly region: RegionId;
  private readonly applier: PinnedConnection<ApplySession>;
  private readonly reader: PinnedConnection;
  private readonly snapshots: OwnSnapshots;
  private readonly enrolled = new EnrolledTables();
  private readonly siblings = new SiblingWatch();
  /** In the last transaction a counter ran over its type's range. */
  private overflowed = false;
  private applying: number | undefined;

  constructor(private readonly options: PgApplyStoreOptions) {
    this.region = options.region;
    this.snapshots = new OwnSnapshots(options.region);
    this.applier = new PinnedConnection(() => openApplySession(options.connection));
    this.reader = new PinnedConnection(() => this.openReader());
  }

  async heads(): Promise<ReadonlyMap<RegionId, Head>> {
    const sql = 'SELECT origin, seq, digest, position FROM meridian.applied';
    const { rows } = await this.reader.share((session) => session.query(sql, [], 'heads'));
    return new Map(
      rows.map(([origin, seq, digest, position]) => [
        origin as RegionId,
        { seq: Number(seq) as Seq, digest: digest!, position: position ?? null },
      ]),
    );
  }

  async enrolments(): Promise<Enrolments> {
    await this.reader.share((session) => this.enrolled.refresh(session));
    return this.enrolled.enrolments();
  }

  async waitingTables(): Promise<ReadonlySet<TableName>> {
    return this.reader.share(waitingTables);
  }

  /** One at a time: a second waits for the end of the first. On the tables as {@link enrolments} last read them. */
  async begin(): Promise<ApplyTransaction> {
    if (!this.enrolled.isKnown) await this.enrolments();
    const { session, release } = await this.applier.acquire();
    const { overflowed } = this;
    const { withExcess } = this.enrolled;
    this.overflowed = false;
    this.applying = session.pid;
    return new PgApplyTransaction({
      ...{ session, region: this.region, snapshots: this.snapshots, siblings: this.siblings },
      rangeOf: (name) => (overflowed || withExcess.has(name) ? 'clamp' : 'exact'),
      tableOf: (name) => this.table(name),
      enrolments: () => this.enrolled.enrolments(),
      onTableAltered: () => this.enrolled.forget(),
      onCounterOverflow: () => (this.overflowed = true),
      onEnd: release,
    });
  }

  /** Does apply act as a replica, for which users' triggers do not fire? Tables with triggers or foreign keys need it. */
  async replicaRole(): Promise<boolean> {
    return this.applier.use(async (session) => session.replicaRole);
  }

  /** Who keeps the running apply transaction waiting, by pid or gid; to be asked when it has waited for some seconds. */
  async blockers(): Promise<readonly Blocker[]> {
    const pid = this.applying;
    return pid === undefined ? [] : this.reader.share((session) => blockersOf(session, [pid]));
  }

  async close(): Promise<void> {
    await Promise.all([this.applier.close(), this.reader.close()]);
  }

  private table(name: TableName): Promise<ApplyTable> {
    return this.reader.share((session) => this.enrolled.load(session, name));
  }

  private async openReader(): Promise<Session> {
    const session = await openSession(this.options.owner, 'apply reader', RELAY_SETTINGS);
    // format_type spells out the schema of whatever is not found by the search path.
    await session.query(`SET search_path = ''`);
    return session;
  }
}
