import type { EnrolmentAnswer } from '@meridian/contract';
import { Refused } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import type { EnrolmentOutcome, RefusedReason } from '../ports.js';

export const TABLE = { table: 'items, schema.items or "My Schema"."My Table", percent-encoded' };

/** What was enrolled; a refusal is thrown with its reasons. */
export function answerOf(
  name: string,
  outcome: EnrolmentOutcome,
): { readonly created: boolean; readonly table: EnrolmentAnswer } {
  if (outcome.kind === 'refused') throw problemOf('enrolment_refused', name, outcome.reasons);
  return outcome;
}

export function problemOf(
  code: 'enrolment_refused' | 'region_unreachable',
  table: string,
  reasons: readonly RefusedReason[],
): ApiProblem {
  return new ApiProblem(code, reasons.map((r) => `${r.detail} — ${r.cure}`).join('; '), { table, reasons });
}

export function notEnrolled(name: string): never {
  throw new Refused(
    'table_not_enrolled',
    `${name} is not enrolled: PUT /v1/tables/${encodeURIComponent(name)} enrols it`,
    { table: name },
  );
}
