import type { IncomingMessage, ServerResponse } from 'node:http';
import { REGION_NAME, type RegionId, type Seq, type TickReader } from '@meridian/core';
import type { Envelopes } from '../envelope/envelope.js';
import { admit, pathOf, splitPath } from '../peers/peer-endpoint.js';
import type { PeerSigner } from '../peers/peer-signature.js';
import { problemBody, sendJson } from '../peers/problem.js';
import { TickFeed, type FeedRequest } from './tick-feed.js';
import type { RecentTicks } from './recent-ticks.js';

export const TICKS_PATH = '/v1/replication/ticks';

export interface TickServerOptions {
  readonly signer: PeerSigner;
  readonly envelopes: Envelopes;
  readonly reader: TickReader;
  readonly recent: RecentTicks;
  /** Pause between signs of life on a stream without ticks. */
  readonly lifeSignMs?: number;
  /** A peer that takes nothing for so long is cut off; it will ask again. */
  readonly drainTimeoutMs?: number;
}

/** Streams that one peer may hold per origin: a peer that reconnects does not know yet that its old stream is dead. */
const STREAMS_PER_PEER = 4;

/**
 * `GET /v1/replication/ticks?origin=us&from=7[&to=9][&wait=1000]`: ticks of an origin in order, as length-prefixed envelopes.
 * Without `wait` for as long as both live; with it, until so many milliseconds have passed and all there is was sent.
 * Each stream holds one bounded batch and reads on only when its peer has taken it, so a slow peer affects nobody else.
 */
export class TickServer {
  private readonly feeds = new Map<string, TickFeed[]>();

  constructor(private readonly options: TickServerOptions) {}

  /** For a plain node:http server as for Express. Never rejects. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = pathOf(req);
    const peer = admit(
      this.options.signer,
      { method: req.method ?? '', path, headers: req.headers, body: NO_BODY },
      res,
    );
    if (peer === null) return;
    const asked = parseRequest(splitPath(path).query);
    if (typeof asked === 'string') return refuse(res, asked);
    const feed = new TickFeed(asked, res, this.options);
    const key = `${peer.region} ${asked.origin}`;
    this.enter(key, feed);
    try {
      await feed.run();
    } catch {
      // The reader failed (its database is away, say): the peer sees the end of the stream and asks again.
      res.destroy();
    } finally {
      this.leave(key, feed);
    }
  }

  /** Ends all streams; peers go elsewhere or come back. */
  close(): void {
    for (const feeds of this.feeds.values()) feeds.forEach((feed) => feed.end());
  }

  private enter(key: string, feed: TickFeed): void {
    const feeds = [...(this.feeds.get(key) ?? []), feed];
    this.feeds.set(key, feeds);
    if (feeds.length > STREAMS_PER_PEER) feeds[0]!.end();
  }

  private leave(key: string, feed: TickFeed): void {
    const left = (this.feeds.get(key) ?? []).filter((f) => f !== feed);
    if (left.length > 0) this.feeds.set(key, left);
    else this.feeds.delete(key);
  }
}

const NO_BODY = Buffer.alloc(0);

/** The request, or what is wrong with it. */
function parseRequest(query: URLSearchParams): FeedRequest | string {
  const origin = query.get('origin') ?? '';
  if (!REGION_NAME.test(origin)) return '`origin` must name a region';
  const from = wholeNumber(query.get('from'));
  if (from === null || from < 1) return '`from` must be a seq, 1 or more';
  const to = query.has('to') ? wholeNumber(query.get('to')) : Number.MAX_SAFE_INTEGER;
  if (to === null || to < from) return '`to` must be a seq, not below `from`';
  const waitMs = query.has('wait') ? wholeNumber(query.get('wait')) : null;
  if (query.has('wait') && waitMs === null) return '`wait` must be a number of milliseconds';
  return { origin: origin as RegionId, from: from as Seq, to: to as Seq, waitMs };
}

function wholeNumber(text: string | null): number | null {
  const n = text !== null && /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(n) ? n : null;
}

const refuse = (res: ServerResponse, detail: string): void =>
  sendJson(res, 400, problemBody({ status: 400, code: 'bad_tick_request', title: 'Bad request', detail }));
