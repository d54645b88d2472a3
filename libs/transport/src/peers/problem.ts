import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** An RFC 9457 problem document, as the REST API answers. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
}

export const problemBody = (problem: Problem, more: Readonly<Record<string, unknown>> = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ type: `urn:meridian:problem:${problem.code}`, ...problem, traceId: randomUUID(), ...more }),
  );

export function sendJson(
  res: ServerResponse,
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  res.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  res.end(body);
}
