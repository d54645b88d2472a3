import { type Problem, type ProblemCode, PROBLEMS } from '@meridian/contract';

/** A refusal that REST itself makes; the filter writes it as a problem document. `message` says what to do. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly members: { readonly [name: string]: unknown } = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

export function problemDocument(
  code: ProblemCode,
  detail: string,
  traceId: string,
  members: { readonly [name: string]: unknown },
): Problem {
  const { status, title } = PROBLEMS[code];
  return { type: `/docs#problem-${code}`, title, status, detail, code, traceId, ...members };
}
