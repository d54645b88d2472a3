import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** The key of a secret as receivers are given it: `whsec_` and base64. */
export const keyOf = (secret: string): Uint8Array => Buffer.from(secret.slice(PREFIX.length), 'base64');

/**
 * Standard Webhooks: HMAC-SHA256 over id, time in seconds and body as they are sent; a signature for each key, for a receiver
 * takes the message when one of them is by the key that it has.
 */
export const signatureOf = (keys: readonly Uint8Array[], id: string, seconds: number, body: string): string =>
  keys
    .map((key) => `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`)
    .join(' ');
