import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RegionId } from '@meridian/core';
import { problemBody, sendJson } from './problem.js';
import { PeerRefusedError, type PeerRequest, type PeerSigner, type VerifiedPeer } from './peer-signature.js';

export interface PeerCall {
  readonly from: RegionId;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The parsed JSON; undefined when there was no body. Untrusted: validate it. */
  readonly body: unknown;
}

export interface PeerAnswer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_CALL_BYTES = 4 * 1024 * 1024;

const SIGNATURE_HEADER = 'meridian-signature';

/** For handlers that already have the body, say inside Nest with `rawBody: true`. @throws PeerRefusedError */
export const verifyPeerRequest = (signer: PeerSigner, request: PeerRequest): VerifiedPeer =>
  signer.verifyRequest(request);

/**
 * The called side of `PeerClient.call`: reads, verifies, answers, signs. It reads the body itself, so mount it before any
 * body parser. Never rejects: what the handler throws becomes a signed 500.
 */
export async function answerPeerCall(
  signer: PeerSigner,
  req: IncomingMessage,
  res: ServerResponse,
  handler: (call: PeerCall) => Promise<PeerAnswer>,
): Promise<void> {
  const body = await readBody(req).catch(() => undefined);
  // The caller went away in the middle of its own request.
  if (body === undefined) return void res.destroy();
  if (body === null) return refuse(res, 413, 'peer_body_too_large', `a call carries ${MAX_CALL_BYTES} bytes at most`);
  const path = pathOf(req);
  const method = req.method ?? 'GET';
  const peer = admit(signer, { method, path, headers: req.headers, body }, res);
  if (peer === null) return;
  const answer = await answerOf(handler, { from: peer.region, method, ...splitPath(path) }, body);
  const payload = Buffer.from(JSON.stringify(answer.body ?? null));
  sendJson(res, answer.status, payload, {
    [SIGNATURE_HEADER]: signer.signResponse(peer.nonce, answer.status, payload),
  });
}

/** Verifies, or answers 401 and gives null. */
export function admit(signer: PeerSigner, request: PeerRequest, res: ServerResponse): VerifiedPeer | null {
  try {
    return signer.verifyRequest(request);
  } catch (error) {
    if (!(error instanceof PeerRefusedError)) throw error;
    const problem = { status: 401, code: error.code, title: 'Not a peer of this cluster', detail: error.message };
    // Our time lets a peer whose clock is off sign anew, but only one that has proved to hold the secret.
    const body = problemBody(problem, error.peer === null ? {} : { time: signer.time() });
    const signature =
      error.peer === null ? {} : { [SIGNATURE_HEADER]: signer.signResponse(error.peer.nonce, 401, body) };
    sendJson(res, 401, body, { 'www-authenticate': 'Meridian', ...signature });
    return null;
  }
}

/** Express rewrites `url` under a mount point and keeps the whole in `originalUrl`. */
export const pathOf = (req: IncomingMessage & { originalUrl?: string }): string => req.originalUrl ?? req.url ?? '/';

export function splitPath(path: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = path.indexOf('?');
  return mark < 0
    ? { path, query: new URLSearchParams() }
    : { path: path.slice(0, mark), query: new URLSearchParams(path.slice(mark)) };
}

async function answerOf(
  handler: (call: PeerCall) => Promise<PeerAnswer>,
  call: Omit<PeerCall, 'body'>,
  raw: Buffer,
): Promise<PeerAnswer> {
  let body: unknown;
  try {
    body = raw.length === 0 ? undefined : JSON.parse(raw.toString('utf8'));
  } catch {
    return failure(400, 'peer_body_no_json', 'Not JSON', 'the body is no JSON');
  }
  try {
    return await handler({ ...call, body });
  } catch (error) {
    return failure(500, 'internal', 'The call failed', error instanceof Error ? error.message : String(error));
  }
}

const failure = (status: number, code: string, title: string, detail: string): PeerAnswer => ({
  status,
  body: { type: `urn:meridian:problem:${code}`, status, code, title, detail },
});

const refuse = (res: ServerResponse, status: number, code: string, detail: string): void =>
  sendJson(res, status, problemBody({ status, code, title: 'Call refused', detail }), { connection: 'close' });

async function readBody(req: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed on return: the refusal still has to go out on this socket.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_CALL_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
