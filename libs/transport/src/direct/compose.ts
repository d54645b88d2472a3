import type { RegionId, TickReader } from '@meridian/core';
import type { SecureContextOptions } from 'node:tls';
import type { ClusterIdentity } from '../cluster-keys.js';
import { Envelopes } from '../envelope/envelope.js';
import { Refusals } from '../envelope/refusal.js';
import { PeerClient } from '../peers/peer-client.js';
import { PeerSigner } from '../peers/peer-signature.js';
import type { TransportListener } from '../transport-event.js';
import { DirectTransport } from './direct-transport.js';
import { RecentTicks } from './recent-ticks.js';
import { TickServer } from './tick-server.js';

export interface DirectOptions extends ClusterIdentity {
  readonly region: RegionId;
  /** Base URL per peer region. */
  readonly peers: Readonly<Record<string, string>>;
  /** This region's log. */
  readonly reader: TickReader;
  readonly tls?: SecureContextOptions;
  readonly maxSkewMs?: number;
  readonly connectTimeoutMs?: number;
  readonly now?: () => number;
  readonly idleTimeoutMs?: number;
  readonly stallMs?: number;
  readonly lifeSignMs?: number;
  readonly onEvent?: TransportListener;
}

/** One region's end of the direct transport: what it calls with, and what it answers with. */
export interface DirectEnd {
  readonly transport: DirectTransport;
  readonly server: TickServer;
  readonly client: PeerClient;
  readonly signer: PeerSigner;
  readonly envelopes: Envelopes;
  readonly refusals: Refusals;
}

export function directTransport(options: DirectOptions): DirectEnd {
  const envelopes = new Envelopes(options);
  const signer = new PeerSigner(options);
  const refusals = new Refusals();
  const recent = new RecentTicks(options.region, envelopes);
  const client = new PeerClient({ signer, ...options });
  return {
    transport: new DirectTransport({ client, envelopes, recent, refusals, ...options }),
    server: new TickServer({ signer, envelopes, recent, ...options }),
    client,
    signer,
    envelopes,
    refusals,
  };
}
