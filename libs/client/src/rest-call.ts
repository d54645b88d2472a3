import { HEADERS, Problem } from '@meridian/contract';
import { MeridianError } from './api-error.js';
import type { Session } from './session.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: { readonly [name: string]: string | number | undefined };
  /** JSON text: numbers that JavaScript cannot hold are the caller's to write. */
  readonly body?: string;
  readonly headers?: { readonly [name: string]: string };
}

export interface CallAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One request: the session's token goes out and comes back; a refusal is thrown. */
export async function restCall(base: string, session: Session | null, call: Call): Promise<CallAnswer> {
  const response = await fetched(urlOf(base, call), {
    method: call.method,
    headers: {
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session?.token == null ? {} : { [HEADERS.session]: session.token }),
      ...call.headers,
    },
    ...(call.body === undefined ? {} : { body: call.body }),
  });
  session?.saw(response.headers.get(HEADERS.session));
  const text = await response.text();
  if (!response.ok && response.status !== 304) throw refusal(base, response.status, text);
  return { status: response.status, headers: response.headers, text };
}

function urlOf(base: string, { path, query = {} }: Call): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.append(name, String(value));
  return url;
}

async function fetched(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    const { message } = (cause as Error & { cause?: Error }).cause ?? (cause as Error);
    throw new MeridianError('unreachable', `${url.origin} does not answer: ${message}`, null, { cause });
  }
}

function refusal(base: string, status: number, text: string): MeridianError {
  const problem = Problem.safeParse(parsed(text));
  if (!problem.success)
    return new MeridianError(
      'not_meridian',
      `${base} answered ${status}, and not as Meridian does: ${text.slice(0, 200)}`,
    );
  const { title, detail, code, traceId } = problem.data;
  return new MeridianError(code, `${title}: ${detail} (${code}, trace ${traceId})`, problem.data);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
