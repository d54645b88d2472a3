import type { Tried } from './tried.js';

export type ProblemCode =
  /** It does not parse, exports no function, or its top level fails. */
  | 'not_compiled'
  | 'order_matters'
  | 'not_repeatable'
  /** Not a value, or one too large. */
  | 'wrong_result'
  /** Steps, memory or time. */
  | 'takes_too_much'
  | 'slow'
  | 'always_throws';

export type WarningCode = 'grouping_matters' | 'equal_versions_change' | 'sometimes_throws';

export interface Finding<Code extends string = ProblemCode | WarningCode> {
  readonly code: Code;
  /** One sentence, with what to do. */
  readonly detail: string;
  /** What was asked and what came of it: the first counterexample. */
  readonly example: readonly Tried[];
}

/** At most one: the first counterexample says enough. */
export const found = <Code extends string>(
  code: Code,
  detail: string,
  example: readonly Tried[] | undefined,
): Finding<Code>[] => (example === undefined ? [] : [{ code, detail, example }]);
