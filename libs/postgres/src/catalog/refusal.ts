/** Why a table cannot be enrolled as asked, and what mends it. All reasons are told at once. */
export interface EnrolmentProblem {
  readonly code: EnrolmentCode;
  readonly message: string;
  readonly cure: string;
}

export type EnrolmentCode =
  | 'unknown_table'
  | 'unsupported_relation'
  | 'not_owner'
  | 'no_primary_key'
  | 'unsupported_key_type'
  | 'unsupported_unique_key'
  | 'unsupported_constraint'
  | 'unsupported_foreign_key'
  | 'parent_not_enrolled'
  | 'referrer_not_readable'
  | 'unsupported_key_sequence'
  | 'row_security'
  | 'replica_role_missing'
  | 'bad_policy'
  | 'policy_needs_enrolment'
  | 'merge_function_differs'
  | 'unknown_column'
  | 'bad_group'
  | 'bad_counter'
  | 'bad_lww_column'
  | 'unknown_constraint'
  | 'bad_key_policy'
  | 'schema_not_usable'
  | 'attached_rows'
  | 'table_busy'
  | 'enrolled_meanwhile';

export const problem = (code: EnrolmentCode, message: string, cure: string): EnrolmentProblem => ({
  code,
  message,
  cure,
});

export class EnrolmentRefused extends Error {
  override readonly name = 'EnrolmentRefused';
  readonly code = 'enrolment_refused';

  constructor(
    readonly table: string,
    readonly problems: readonly EnrolmentProblem[],
  ) {
    super(`${table} cannot be enrolled: ${problems.map((p) => `${p.message} (${p.cure})`).join('; ')}`);
  }
}
