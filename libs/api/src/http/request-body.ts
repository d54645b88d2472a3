import { isUtf8 } from 'node:buffer';
import { parseJsonText } from '../body/json-text.js';
import { ApiProblem } from './api-problem.js';

/** Routes that hand their body's text on to PostgreSQL, which must get every digit of it. */
const RAW = /^\/v1\/(data|tx)(\/|$)|^\/v1\/conflicts\/[^/?]+\/resolve(\?|$)/;

/** The body as text for {@link RAW} routes, as a document for the others; its size is limited by the server. */
export function requestBody(path: string, bytes: Buffer, contentEncoding: string | undefined): unknown {
  if (contentEncoding !== undefined && contentEncoding !== 'identity')
    throw new ApiProblem(
      'unsupported_media_type',
      `Content-Encoding: ${contentEncoding} is not taken: send the body as it is`,
    );
  // Decoding would quietly put U+FFFD where the bytes are wrong.
  if (!isUtf8(bytes)) throw new ApiProblem('bad_json', 'the body is not UTF-8');
  const text = bytes.toString('utf8');
  if (RAW.test(path)) return text;
  if (text === '') return undefined;
  parseJsonText(text);
  return JSON.parse(text) as unknown;
}
