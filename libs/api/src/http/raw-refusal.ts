import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ProblemCode, PROBLEMS } from '@meridian/contract';
import { problemDocument } from './api-problem.js';

/** What Node's HTTP parser refuses has no request and no reply yet: the answer is written by hand. */
const BY_CODE: { readonly [code: string]: readonly [ProblemCode, string] } = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'send the whole request within http.requestTimeoutMs'],
  HPE_HEADER_OVERFLOW: ['head_too_large', 'the request line and headers may have 16 KB together'],
};

export function refuseRaw(error: Error & { readonly code?: string }, socket: Socket): void {
  // The client has hung up; there is nobody to tell.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return void socket.destroy();
  const [code, detail] = BY_CODE[error.code ?? ''] ?? (['bad_request', 'this is no HTTP/1.1 request'] as const);
  const { status, title } = PROBLEMS[code];
  const body = JSON.stringify(problemDocument(code, detail, randomBytes(16).toString('hex'), {}));
  const head = `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}
