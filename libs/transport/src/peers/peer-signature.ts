import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { REGION_NAME, type RegionId } from '@meridian/core';
import { clusterKeys, type ClusterIdentity, type ClusterKey } from '../cluster-keys.js';
import { NonceCache } from './nonce-cache.js';

/*
 * How services of one cluster prove themselves to one another over HTTP. A request carries
 *
 *     Authorization: Meridian key=1f2e3d4c, from=us, to=eu, time=1763700000123, nonce=…, mac=…
 *
 * with mac = HMAC over method, path and query, from, to, time, nonce and the body's hash. The response carries
 * `Meridian-Signature`, a MAC over that nonce, the status and the body's hash: an answer fits one question.
 */
const SCHEME = 'Meridian';

export interface PeerRequest {
  readonly method: string;
  /** Path and query below the peer's base URL: a proxy may have put a prefix before it. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface VerifiedPeer {
  readonly region: RegionId;
  readonly nonce: string;
}

export type PeerRefusalCode =
  | 'peer_unsigned'
  | 'peer_malformed'
  | 'peer_foreign_cluster'
  | 'peer_bad_signature'
  | 'peer_wrong_region'
  | 'peer_clock_skew'
  | 'peer_replayed';

/** A request that no member of this cluster made for this region, now. Answered with 401 and a problem document. */
export class PeerRefusedError extends Error {
  readonly status = 401;
  constructor(
    readonly code: PeerRefusalCode,
    detail: string,
    /** Set when the request is genuine but late: then the answer may be signed, and tells our time. */
    readonly peer: VerifiedPeer | null = null,
  ) {
    super(detail);
    this.name = 'PeerRefusedError';
  }
}

export interface PeerSigningOptions extends ClusterIdentity {
  readonly region: RegionId;
  /** How old, or how far in the future, a request may be. */
  readonly maxSkewMs?: number;
  readonly now?: () => number;
}

export class PeerSigner {
  private readonly keys: readonly [ClusterKey, ...ClusterKey[]];
  private readonly nonces = new NonceCache();
  private readonly maxSkewMs: number;
  private readonly now: () => number;

  constructor(private readonly options: PeerSigningOptions) {
    this.keys = clusterKeys(options, 'peer call');
    this.maxSkewMs = options.maxSkewMs ?? 60_000;
    this.now = options.now ?? Date.now;
  }

  get region(): RegionId {
    return this.options.region;
  }

  time(): number {
    return this.now();
  }

  /** `offsetMs`: what the peer's clock shows more than ours. */
  signRequest(to: RegionId, method: string, path: string, body: Buffer, offsetMs = 0): SignedRequest {
    const nonce = randomBytes(12).toString('base64url');
    const time = String(Math.round(this.now() + offsetMs));
    const [key] = this.keys;
    const mac = requestMac(key, { method, path, body, from: this.region, to, time, nonce });
    const fields = `key=${key.id.toString('hex')}, from=${this.region}, to=${to}, time=${time}, nonce=${nonce}, mac=${mac}`;
    return { nonce, authorization: `${SCHEME} ${fields}` };
  }

  /** @throws PeerRefusedError */
  verifyRequest(request: PeerRequest): VerifiedPeer {
    const fields = parseAuthorization(request.headers.authorization);
    const key = this.keyOf(fields.key);
    const { method, path, body } = request;
    if (!equalTexts(requestMac(key, { ...fields, method, path, body }), fields.mac))
      throw new PeerRefusedError('peer_bad_signature', 'the signature does not fit the request');
    const peer = { region: fields.from as RegionId, nonce: fields.nonce };
    if (fields.to !== this.region)
      throw new PeerRefusedError('peer_wrong_region', `this is ${this.region}, the request is for ${fields.to}`, peer);
    const skew = Number(fields.time) - this.now();
    if (Math.abs(skew) > this.maxSkewMs)
      throw new PeerRefusedError('peer_clock_skew', `signed ${Math.round(skew / 1000)} s from the time here`, peer);
    if (!this.nonces.remember(fields.nonce, this.now(), this.now() + 2 * this.maxSkewMs))
      throw new PeerRefusedError('peer_replayed', 'this very request was made before');
    return peer;
  }

  signResponse(nonce: string, status: number, body: Buffer): string {
    const [key] = this.keys;
    return `${key.id.toString('hex')}.${responseMac(key, nonce, status, body)}`;
  }

  verifyResponse(signature: string | undefined, nonce: string, status: number, body: Buffer): boolean {
    const [id, mac] = (signature ?? '').split('.');
    const key = this.keys.find((k) => k.id.toString('hex') === id);
    return key !== undefined && equalTexts(responseMac(key, nonce, status, body), mac ?? '');
  }

  private keyOf(id: string): ClusterKey {
    const key = this.keys.find((k) => k.id.toString('hex') === id);
    if (key === undefined)
      throw new PeerRefusedError(
        'peer_foreign_cluster',
        'signed with the secret of another cluster; compare `cluster` and `secret`',
      );
    return key;
  }
}

export interface SignedRequest {
  readonly nonce: string;
  readonly authorization: string;
}

interface SignedFields {
  readonly from: string;
  readonly to: string;
  readonly time: string;
  readonly nonce: string;
}

const AUTHORIZATION =
  /^Meridian key=(?<key>[0-9a-f]{8}), from=(?<from>[a-z0-9-]{1,31}), to=(?<to>[a-z0-9-]{1,31}), time=(?<time>[0-9]{1,15}), nonce=(?<nonce>[A-Za-z0-9_-]{16}), mac=(?<mac>[A-Za-z0-9_-]{43})$/;

function parseAuthorization(header: string | undefined): SignedFields & { readonly key: string; readonly mac: string } {
  if (header === undefined || !header.startsWith(`${SCHEME} `))
    throw new PeerRefusedError('peer_unsigned', 'only services of this cluster may call this; they sign what they ask');
  const fields = AUTHORIZATION.exec(header)?.groups as (SignedFields & { key: string; mac: string }) | undefined;
  if (fields === undefined || !REGION_NAME.test(fields.from))
    throw new PeerRefusedError('peer_malformed', 'the Authorization header is not well-formed');
  return fields;
}

const sha256 = (body: Buffer): Buffer => createHash('sha256').update(body).digest();

function requestMac(
  key: ClusterKey,
  r: SignedFields & { readonly method: string; readonly path: string; readonly body: Buffer },
): string {
  const lines = ['request', r.method.toUpperCase(), r.path, r.from, r.to, r.time, r.nonce];
  return createHmac('sha256', key.secret).update(lines.join('\n')).update(sha256(r.body)).digest('base64url');
}

const responseMac = (key: ClusterKey, nonce: string, status: number, body: Buffer): string =>
  createHmac('sha256', key.secret).update(`response\n${nonce}\n${status}\n`).update(sha256(body)).digest('base64url');

function equalTexts(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
