import { createHash } from 'node:crypto';
import { type ChangeName, REGION_NAME, type TextPlace } from '@meridian/core';
import { ApiProblem } from '../../http/api-problem.js';

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Opaque to clients. The digest says which text it was, the heads how to make it again when nobody wrote it as it is. */
export const versionOf = (text: string | null, heads: readonly ChangeName[]): string =>
  Buffer.from(JSON.stringify([digestOf(text ?? ''), ...heads.map(({ origin, id }) => [origin, id])])).toString(
    'base64url',
  );

export function parseVersion(version: string): TextPlace {
  const [digest, ...heads] = decoded(version);
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest) || !heads.every(isHead))
    throw new ApiProblem('bad_body', '"base" cannot be read: send the `version` of an answer as it was');
  return { digest, heads: heads.map(([origin, id]) => ({ origin, id })) };
}

function decoded(version: string): readonly unknown[] {
  try {
    const content: unknown = JSON.parse(Buffer.from(version, 'base64url').toString('utf8'));
    return Array.isArray(content) ? content : [];
  } catch {
    return [];
  }
}

const isHead = (head: unknown): head is [ChangeName['origin'], ChangeName['id']] =>
  Array.isArray(head) && head.length === 2 && REGION_NAME.test(String(head[0])) && Number.isSafeInteger(head[1]);
