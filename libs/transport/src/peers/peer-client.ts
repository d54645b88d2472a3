import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { RegionId } from '@meridian/core';
import type { PeerAnswer } from './peer-endpoint.js';
import type { PeerSigner, SignedRequest } from './peer-signature.js';

export type PeerFailureCode =
  'peer_unknown' | 'peer_unreachable' | 'peer_timeout' | 'peer_answer_forged' | 'peer_refuses_us';

/** A peer could not be asked, or what answered is not that peer. */
export class PeerCallError extends Error {
  constructor(
    readonly code: PeerFailureCode,
    readonly region: RegionId,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`${region}: ${detail}`, options);
    this.name = 'PeerCallError';
  }
}

export interface PeerClientOptions {
  readonly signer: PeerSigner;
  /** Base URL per region. Only these are ever called, and redirects are not followed. */
  readonly peers: Readonly<Record<string, string>>;
  /** Until the answer's head is there. */
  readonly connectTimeoutMs?: number;
  readonly callTimeoutMs?: number;
  /** Own authority or client certificate for https peers. */
  readonly tls?: SecureContextOptions;
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Calls other regions' services: short JSON calls, and the long-lived streams of the direct transport. */
export class PeerClient {
  private readonly bases: ReadonlyMap<RegionId, URL>;
  private readonly agents: { readonly http: http.Agent; readonly https: https.Agent };
  /** What a peer's clock shows more than ours, once it told us. Requests are signed in the peer's time. */
  private readonly clockOffsets = new Map<RegionId, number>();

  constructor(private readonly options: PeerClientOptions) {
    this.bases = new Map(
      Object.entries(options.peers).map(([region, url]) => [region as RegionId, baseUrl(region, url)]),
    );
    const kept = { keepAlive: true, keepAliveMsecs: 10_000 };
    this.agents = { http: new http.Agent(kept), https: new https.Agent({ ...kept, ...options.tls }) };
  }

  get regions(): readonly RegionId[] {
    return [...this.bases.keys()];
  }

  /** A control call. Any status is an answer; no authentic answer is an error. @throws PeerCallError */
  async call(region: RegionId, method: string, path: string, body?: unknown): Promise<PeerAnswer> {
    const payload = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    const timeout = AbortSignal.timeout(this.options.callTimeoutMs ?? 10_000);
    const answer = await this.authentic(region, method, path, payload, timeout);
    return { status: answer.status, body: JSON.parse(answer.body.toString('utf8')) as unknown };
  }

  /** The head of a streamed answer; its body is the caller's to read. A refusal is an error. @throws PeerCallError */
  async stream(region: RegionId, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    for (const last of [false, true]) {
      const { res, signed } = await this.send(region, 'GET', path, Buffer.alloc(0), signal);
      if (res.statusCode === 200) return res;
      const body = await readAnswer(region, res);
      const genuine = this.options.signer.verifyResponse(signatureOf(res), signed.nonce, res.statusCode ?? 0, body);
      if (!last && genuine && this.learnedTime(region, res.statusCode, body)) continue;
      throw new PeerCallError('peer_refuses_us', region, `answered ${res.statusCode}: ${problemText(body)}`);
    }
    throw new PeerCallError('peer_refuses_us', region, 'does not take our clock');
  }

  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }

  private async authentic(
    region: RegionId,
    method: string,
    path: string,
    payload: Buffer,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: Buffer }> {
    for (const last of [false, true]) {
      const { res, signed } = await this.send(region, method, path, payload, signal);
      const body = await readAnswer(region, res);
      const status = res.statusCode ?? 0;
      const genuine = this.options.signer.verifyResponse(signatureOf(res), signed.nonce, status, body);
      if (genuine && (last || !this.learnedTime(region, status, body))) return { status, body };
      if (genuine) continue;
      if (status === 401) throw new PeerCallError('peer_refuses_us', region, problemText(body));
      throw new PeerCallError(
        'peer_answer_forged',
        region,
        `the answer (status ${status}) is not signed by this cluster`,
      );
    }
    throw new PeerCallError('peer_refuses_us', region, 'does not take our clock');
  }

  private send(
    region: RegionId,
    method: string,
    path: string,
    payload: Buffer,
    signal: AbortSignal,
  ): Promise<{ readonly res: IncomingMessage; readonly signed: SignedRequest }> {
    const base = this.bases.get(region);
    if (base === undefined) throw new PeerCallError('peer_unknown', region, 'no such peer in `peers`');
    const signed = this.options.signer.signRequest(region, method, path, payload, this.clockOffsets.get(region));
    const headers = {
      authorization: signed.authorization,
      ...(payload.length > 0 && { 'content-type': 'application/json' }),
      'content-length': payload.length,
    };
    const secure = base.protocol === 'https:';
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
    return new Promise((resolve, reject) => {
      const req = (secure ? https : http).request(url, {
        method,
        headers,
        signal,
        agent: secure ? this.agents.https : this.agents.http,
      });
      const timeoutMs = this.options.connectTimeoutMs ?? 2_000;
      const timer = setTimeout(
        () => req.destroy(new PeerCallError('peer_timeout', region, `no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      req.once('response', (res) => (clearTimeout(timer), resolve({ res, signed })));
      req.once('error', (cause) => (clearTimeout(timer), reject(failureOf(region, cause))));
      req.end(payload);
    });
  }

  /** After a signed "your clock is off, here it is …": true, and the next request is signed in that time. */
  private learnedTime(region: RegionId, status: number | undefined, body: Buffer): boolean {
    if (status !== 401) return false;
    const { code, time } = JSON.parse(body.toString('utf8')) as { code?: unknown; time?: unknown };
    if (code !== 'peer_clock_skew' || typeof time !== 'number') return false;
    this.clockOffsets.set(region, time - this.options.signer.time());
    return true;
  }
}

function baseUrl(region: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new RangeError(`peers.${region}: "${text}" is no http(s) URL`);
  return url;
}

const signatureOf = (res: IncomingMessage): string | undefined => {
  const header = res.headers['meridian-signature'];
  return typeof header === 'string' ? header : undefined;
};

async function readAnswer(region: RegionId, res: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new RangeError(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw failureOf(region, cause);
  }
  return Buffer.concat(chunks);
}

function failureOf(region: RegionId, cause: unknown): PeerCallError {
  if (cause instanceof PeerCallError) return cause;
  const { name, message, code } = cause as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return new PeerCallError('peer_timeout', region, 'no answer in time', { cause });
  return new PeerCallError('peer_unreachable', region, code ?? message, { cause });
}

/** What a stranger may have sent: shortened, and without control characters, for it ends in our log. */
const problemText = (body: Buffer): string => body.toString('utf8', 0, 300).replace(/[\p{Cc}\p{Cf}]/gu, ' ');
