/**
 * Why a request on rows cannot be done. Each code is a word of the outside contract (problem documents carry it), and
 * stands for one HTTP status there.
 */
export type RefusalCode =
  | 'bad_table_name'
  | 'bad_key'
  | 'bad_filter'
  | 'bad_select'
  | 'bad_order'
  | 'bad_limit'
  | 'bad_body'
  | 'filter_required'
  | 'table_not_enrolled'
  | 'unknown_column'
  | 'row_not_found'
  | 'precondition_failed'
  | 'unique_violation'
  | 'foreign_key_violation'
  | 'exclusion_violation'
  | 'check_violation'
  | 'share_exhausted'
  | 'not_null_violation'
  | 'invalid_value'
  | 'operator_not_for_type'
  | 'conflict_target_unknown'
  | 'column_not_writable'
  | 'constraint_violation'
  | 'rejected_by_database'
  | 'permission_denied'
  | 'too_complex'
  | 'statement_timeout'
  | 'write_contention'
  | 'database_unavailable'
  | 'overloaded'
  | 'idempotency_key_reused'
  | 'database_error'
  | 'bad_cursor'
  | 'cursor_expired'
  | 'conflict_not_found'
  | 'conflict_changed'
  | 'conflict_decided'
  | 'conflict_not_decided'
  | 'conflict_withdrawn'
  | 'note_required'
  | 'unresolvable'
  | 'not_a_text'
  | 'unfit_text_edit'
  | 'text_version_expired';

export interface RefusalMembers {
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly sqlState?: string;
  /** Of a bounded counter: its row's key as the log writes it, what each region may take, and what this one was short of. */
  readonly key?: string;
  readonly shares?: { readonly [region: string]: string };
  readonly short?: string;
  /** One to go on from instead. */
  readonly cursor?: string;
  /** Of a conflict, as it is now: for If-Match. */
  readonly version?: string;
}

/** An expected refusal; `message` is for the person who sent the request and says what to do about it. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly members: RefusalMembers = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}
