import { type RegionId, type Seq } from '@meridian/core';
import type { Session } from '../connection/session.js';
import { FIRST_SNAPSHOT, Snapshot } from './snapshot.js';

/** Enough for the floors that peers' ticks name at one time. */
const REMEMBERED = 64;

/** Snapshots of this region's own ticks. A committed tick's never changes, so the last ones asked for are remembered. */
export class OwnSnapshots {
  private readonly known = new Map<Seq, Snapshot>();

  constructor(private readonly region: RegionId) {}

  /** Null when it is no longer kept. */
  async of(session: Session, seq: Seq): Promise<Snapshot | null> {
    const known = seq === 0 ? FIRST_SNAPSHOT : this.known.get(seq);
    if (known !== undefined) return known;
    const sql = 'SELECT snapshot FROM meridian.tick WHERE origin = $1 AND seq = $2';
    const { rows } = await session.query(sql, [this.region, seq], 'snapshot_of');
    if (rows[0]?.[0] == null) return null;
    const snapshot = Snapshot.parse(rows[0][0]);
    this.known.set(seq, snapshot);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
    return snapshot;
  }
}
