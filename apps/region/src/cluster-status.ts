import type { ClusterStatus } from '@meridian/api';
import type { RegionStatus } from '@meridian/contract';
import { type OriginPosition, type PositionStore, type RegionId, type Vector, at } from '@meridian/core';
import type { Observations } from './observations.js';

export interface ClusterView {
  readonly region: RegionId;
  readonly address: string;
  readonly peers: Readonly<Record<string, string>>;
  readonly heartbeatMs: number;
  readonly maxClockSkewMs: number;
}

/** After so many heartbeats without a tick a region counts as lagging, then as unreachable. */
const LAGGING_BEATS = 5;
const UNREACHABLE_BEATS = 15;

/** The cluster as this region knows it: its own vector, and what the last tick of each origin told. */
export class KnownCluster implements ClusterStatus {
  constructor(
    private readonly view: ClusterView,
    private readonly positions: Pick<PositionStore, 'origins'>,
    private readonly observations: Observations,
    private readonly now: () => number,
  ) {}

  async regions(): Promise<readonly RegionStatus[]> {
    const origins = new Map((await this.positions.origins()).map((o) => [o.origin, o]));
    const applied: Vector = Object.fromEntries([...origins].map(([o, p]) => [o, p.seq as never]));
    const peers = Object.keys(this.view.peers) as RegionId[];
    return [this.self(applied), ...peers.map((peer) => this.peer(peer, origins))];
  }

  private self(applied: Vector): RegionStatus {
    const { halted, waitingFor, refused } = this.observations;
    const waiting = [
      ...(waitingFor === null ? [] : [`ticks wait for ${waitingFor} to be enrolled here`]),
      ...[...refused].map(([table, why]) => `changes of ${table} wait: ${why}`),
    ];
    return {
      region: this.view.region,
      self: true,
      health: halted !== null ? 'halted' : waiting.length > 0 ? 'lagging' : 'healthy',
      detail: halted ?? (waiting.length === 0 ? null : waiting.join('; ')),
      address: this.view.address,
      seq: at(applied, this.view.region),
      applied: { ...applied },
      lag: null,
      clockOffsetMs: 0,
      lastSeenAt: new Date(this.now()).toISOString(),
    };
  }

  private peer(peer: RegionId, origins: ReadonlyMap<RegionId, OriginPosition>): RegionStatus {
    const known = origins.get(peer);
    const seen = this.observations.of(peer);
    const offset = this.observations.clockOffsetOf(peer);
    return {
      region: peer,
      self: false,
      ...this.health(peer, offset),
      address: this.view.peers[peer] ?? null,
      seq: known?.seq ?? 0,
      applied: known === undefined ? {} : { ...known.deps, [peer]: known.seq },
      lag: {
        changes: this.observations.waitingChanges(peer),
        ms: known === undefined ? null : Math.max(0, Math.round(this.now() - known.wallMs)),
      },
      clockOffsetMs: offset,
      lastSeenAt: seen === undefined ? null : new Date(seen.lastSeenMs).toISOString(),
    };
  }

  private health(peer: RegionId, offset: number | null): Pick<RegionStatus, 'health' | 'detail'> {
    const seen = this.observations.of(peer);
    const silentMs = this.now() - (seen?.lastSeenMs ?? this.observations.sinceMs);
    const why = this.observations.interruptions.get(peer);
    if (silentMs > UNREACHABLE_BEATS * this.view.heartbeatMs || (seen === undefined && why !== undefined))
      return {
        health: 'unreachable',
        detail: `nothing heard of it${seen === undefined ? ' yet' : ` for ${Math.round(silentMs / 1000)} s`}${why === undefined ? '' : `: ${why}`}`,
      };
    if (seen === undefined) return { health: 'lagging', detail: 'nothing heard of it yet' };
    if (silentMs > LAGGING_BEATS * this.view.heartbeatMs)
      return { health: 'lagging', detail: `its last tick came ${Math.round(silentMs / 1000)} s ago` };
    if (offset !== null && offset > this.view.maxClockSkewMs)
      return {
        health: 'lagging',
        detail: `its clock is ${offset} ms ahead: its concurrent writes win; mend its time service`,
      };
    return { health: 'healthy', detail: null };
  }
}
