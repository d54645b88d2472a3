import { REGION_NAME, type Vector } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';

const CURE = 'send back the Meridian-Session of an earlier answer as it was, or none';

/** Base64url of {"v": {region: seq}}. Opaque to clients: what is in it may change. */
export const tokenOf = (vector: Vector): string => Buffer.from(JSON.stringify({ v: vector })).toString('base64url');

export function parseToken(token: string, regions: ReadonlySet<string>): Vector {
  const vector = decoded(token);
  for (const [region, seq] of Object.entries(vector)) {
    if (!REGION_NAME.test(region) || !Number.isSafeInteger(seq) || (seq as number) < 0)
      throw new ApiProblem('bad_token', `the session token is damaged: ${CURE}`);
    if (!regions.has(region))
      throw new ApiProblem(
        'bad_token',
        `the session token names the region "${region}", which is none of this cluster's: ${CURE}`,
      );
  }
  return vector as Vector;
}

function decoded(token: string): object {
  try {
    if (!/^[A-Za-z0-9_-]{1,8192}$/.test(token)) throw new SyntaxError('not base64url');
    const content = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { v?: unknown };
    if (typeof content?.v !== 'object' || content.v === null || Array.isArray(content.v))
      throw new SyntaxError('no vector');
    return content.v;
  } catch (cause) {
    throw new ApiProblem('bad_token', `the session token cannot be read: ${CURE}`, {}, { cause });
  }
}
