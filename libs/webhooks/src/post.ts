import { signatureOf } from './signature.js';
import type { Webhook } from './webhook.js';

export type Posted =
  | { readonly kind: 'told'; readonly status: number }
  /** `notBeforeMs`: the receiver asks to be left alone for so long. */
  | { readonly kind: 'refused'; readonly status: number | null; readonly error: string; readonly notBeforeMs: number }
  /** The receiver wants to be told nothing any more. */
  | { readonly kind: 'gone'; readonly status: 410; readonly error: string };

export interface Message {
  /** The same in every attempt. */
  readonly id: string;
  readonly body: string;
}

const TIMEOUT_MS = 15_000;
/** Read so that the connection can be used again; whoever sends more loses it. */
const MOST_READ = 65_536;
const MOST_WAIT_MS = 3_600_000;

/** One attempt. `signal`: it is to end now; then nobody knows whether it was told. */
export async function post(
  hook: Pick<Webhook, 'url' | 'secrets'>,
  { id, body }: Message,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<Posted> {
  const seconds = Math.floor(Date.now() / 1_000);
  try {
    const answer = await fetch(hook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'meridian',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signatureOf(hook.secrets, id, seconds, body),
      },
      body,
      // To where the operator wrote, and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await drain(answer);
    return postedOf(answer);
  } catch (error) {
    return { kind: 'refused', status: null, error: reasonOf(error as Error, timeoutMs), notBeforeMs: 0 };
  }
}

function postedOf({ ok, status, headers }: Response): Posted {
  if (ok) return { kind: 'told', status };
  if (status === 410) return { kind: 'gone', status, error: 'it answered 410: it wants to be told nothing any more' };
  const where = status >= 300 && status < 400 ? `, and redirects are not followed: write the address it moved to` : '';
  return { kind: 'refused', status, error: `it answered ${status}${where}`, notBeforeMs: retryAfterMs(headers) };
}

/** In seconds, or a date. */
function retryAfterMs(headers: Headers): number {
  const text = headers.get('retry-after');
  if (text === null) return 0;
  const millis = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(millis) ? Math.min(Math.max(0, millis), MOST_WAIT_MS) : 0;
}

async function drain({ body }: Response): Promise<void> {
  let read = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) if ((read += (chunk as Uint8Array).byteLength) > MOST_READ) return;
}

function reasonOf(error: Error & { readonly cause?: unknown }, timeoutMs: number): string {
  if (error.name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1_000} s`;
  const { cause } = error;
  return `it cannot be reached: ${cause instanceof Error && cause.message !== '' ? cause.message : ((cause as { code?: string })?.code ?? error.message)}`;
}
