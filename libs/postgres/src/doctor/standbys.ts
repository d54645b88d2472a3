import type { ClientBase } from 'pg';
import { literal } from '../catalog/quoting.js';
import { finding, type Finding } from './finding.js';

export interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** pg_replication_slots.wal_status: reserved, extended, unreserved, lost. */
  readonly status: string | null;
  readonly retained: number;
}

export interface Standby {
  readonly name: string;
  readonly behind: number;
  /** pg_stat_replication.sync_state: async, sync, quorum, potential. */
  readonly sync: string;
}

export interface Standbys {
  readonly slots: readonly Slot[];
  readonly standbys: readonly Standby[];
  /** synchronous_standby_names; empty: commits wait for nobody. */
  readonly awaited: string;
}

/** Others' standbys show themselves only to a role that may read statistics: then none is missed, and none is told. */
const READ = /* sql */ `
SELECT coalesce((SELECT json_agg(json_build_object('name', slot_name, 'active', active, 'status', wal_status,
                                                   'retained', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)) ORDER BY slot_name)
                   FROM pg_replication_slots), '[]') AS slots,
       coalesce((SELECT json_agg(json_build_object('name', application_name, 'sync', coalesce(sync_state, 'async'),
                                                   'behind', coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0)) ORDER BY application_name)
                   FROM pg_stat_replication), '[]') AS standbys,
       current_setting('synchronous_standby_names') AS awaited`;

/** What this region's own standbys, and other readers of its WAL, keep it from. */
export async function standbyFindings(client: ClientBase, retainedBytes: number): Promise<Finding[]> {
  const { rows } = await client.query<Standbys>(READ);
  return standbysFindings(rows[0]!, retainedBytes);
}

export const standbysFindings = ({ slots, standbys, awaited }: Standbys, retainedBytes: number): Finding[] => [
  ...slots.filter((s) => s.status === 'lost' || (!s.active && s.retained > retainedBytes)).map(abandoned),
  ...standbys.filter((s) => s.behind > retainedBytes).map(behind),
  ...(awaited !== '' && !standbys.some((s) => s.sync !== 'async') ? [nobodyToWaitFor(awaited)] : []),
];

const abandoned = ({ name, status, retained }: Slot): Finding =>
  finding(
    'warning',
    'replication_slot_abandoned',
    `slot ${name}`,
    status === 'lost'
      ? 'nobody has read from it for so long that what it would need is gone'
      : `nobody reads from it, and ${megabytes(retained)} of WAL are kept for it`,
    'if whoever used it comes back, let him; if not, drop it',
    {
      meaning: "it fills the disk, and holds old rows back from being vacuumed; Meridian's own log needs no slot",
      sql: [`SELECT pg_drop_replication_slot(${literal(name)})`],
    },
  );

const behind = ({ name, behind: bytes }: Standby): Finding =>
  finding(
    'warning',
    'standby_lags',
    `standby ${name}`,
    `it has ${megabytes(bytes)} of WAL to replay`,
    'look at its disk, its network, and at long queries there',
    {
      meaning:
        'if this region failed over to it now, it would come back without what it had told other regions already',
    },
  );

const nobodyToWaitFor = (awaited: string): Finding =>
  finding(
    'error',
    'synchronous_standby_missing',
    'server',
    `commits wait for a synchronous standby (${awaited}), and none is connected`,
    'bring one up; or, knowing that a failover may then lose commits, wait for none',
    {
      meaning: 'no write is acknowledged in this region, and nothing is applied: the other regions go on',
      sql: [`ALTER SYSTEM SET synchronous_standby_names = ''`, 'SELECT pg_reload_conf()'],
    },
  );

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
