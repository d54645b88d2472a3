import { HEADERS } from '@meridian/contract';
import { ANY_ETAG } from '@meridian/core';
import type { FastifyRequest } from 'fastify';
import { ApiProblem } from '../http/api-problem.js';

/** A request on rows, taken apart but not yet understood. */
export interface DataRequest {
  readonly method: string;
  /** Path and query string as sent. */
  readonly url: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly body: string;
  readonly prefer: string | undefined;
  readonly range: string | undefined;
  readonly rangeUnit: string | undefined;
  readonly etag: string | null;
  readonly unlessEtag: string | null;
  readonly actor: string;
  /** The program that asks; null: it does not say. */
  readonly application: string | null;
  readonly idempotencyKey: string | null;
  readonly token: string | undefined;
  readonly consistency: string | undefined;
}

export function dataRequest(request: FastifyRequest): DataRequest {
  const { url = '', method = 'GET' } = request.raw;
  const mark = url.indexOf('?');
  return {
    method,
    url,
    parameters: mark < 0 ? [] : [...new URLSearchParams(url.slice(mark + 1))],
    body: typeof request.body === 'string' ? request.body : '',
    prefer: header(request, 'prefer'),
    range: header(request, 'range'),
    rangeUnit: header(request, 'range-unit'),
    etag: etagOf('If-Match', header(request, 'if-match')),
    unlessEtag: etagOf('If-None-Match', header(request, 'if-none-match')),
    actor: shortText(HEADERS.actor, header(request, 'meridian-actor')) ?? '',
    application: applicationOf(header(request, 'user-agent')),
    idempotencyKey: shortText(HEADERS.idempotencyKey, header(request, 'idempotency-key')),
    token: header(request, 'meridian-session'),
    consistency: header(request, 'meridian-consistency'),
  };
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Without its quotes, or {@link ANY_ETAG}; null: it is none. */
export const readEtag = (text: string): string | null =>
  text === ANY_ETAG ? ANY_ETAG : (/^(?:W\/)?"([^"]*)"$/.exec(text)?.[1] ?? null);

/** The one etag asked for; null for none. */
function etagOf(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  const etag = readEtag(value);
  if (etag === null)
    throw new ApiProblem('bad_header', `${name} takes one ETag as an answer gave it, in double quotes`);
  return etag;
}

function shortText(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  if (!/^[\x20-\x7e]{1,200}$/.test(value))
    throw new ApiProblem('bad_header', `${name} takes 1 to 200 printable ASCII characters`);
  return value;
}

/** Of a User-Agent what tells programs apart; browsers' are long. */
function applicationOf(agent: string | undefined): string | null {
  const printable = (agent ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
  return printable === '' ? null : printable;
}

/** What would not be looked at is not to be relied on. */
export function refusePrecondition(etag: string | null, name: string, goes: string): void {
  if (etag !== null) throw new ApiProblem('bad_header', `${name} goes ${goes}: nothing was written`);
}
