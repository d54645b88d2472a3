import { Conflict, HEADERS, type ProblemCode } from '@meridian/contract';
import type { z } from 'zod';
import { WRITE_PROBLEMS } from '../data/data.openapi.js';
import { Documented } from '../http/documented.js';

export const OPERATOR_HEADERS = {
  [HEADERS.session]: 'The token of an earlier answer',
  [HEADERS.actor]: 'Who decides; kept with the decision',
};
export const SESSION_ANSWER = {
  [HEADERS.region]: 'The region that answered',
  [HEADERS.session]: 'What this client has seen',
};

const SESSION_PROBLEMS: readonly ProblemCode[] = [
  'conflict_not_found',
  'conflict_changed',
  'invalid_document',
  'bad_header',
  'bad_json',
  'bad_token',
  'session_not_reached',
  'write_contention',
  'overloaded',
  'database_unavailable',
];
/** Of an action that may write the row. */
export const ROW_PROBLEMS: readonly ProblemCode[] = [
  ...WRITE_PROBLEMS.filter((code) => code !== 'idempotency_key_reused'),
  'conflict_decided',
  'conflict_withdrawn',
  'note_required',
  'unresolvable',
  'row_not_found',
];

/** One action; all answer the conflict as it is then. */
export const DocumentAction = (
  summary: string,
  body: z.ZodType,
  problems: readonly ProblemCode[] = [],
  description = '',
): MethodDecorator =>
  Documented({
    tag: 'Conflicts',
    summary,
    description,
    params: { id: "The record's id" },
    headers: {
      ...OPERATOR_HEADERS,
      'If-Match': "The conflict's ETag: act only if it is still the one that was looked at",
    },
    body,
    answers: {
      200: {
        description: 'The conflict as it is now',
        schema: Conflict,
        headers: { ...SESSION_ANSWER, ETag: 'For If-Match' },
      },
    },
    problems: [...SESSION_PROBLEMS, ...problems],
  });
