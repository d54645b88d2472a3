export type SetupErrorCode =
  | 'postgres_too_old'
  | 'not_utf8'
  | 'read_only_server'
  | 'transaction_pooling'
  | 'no_rights'
  | 'apply_role'
  | 'other_region'
  | 'other_cluster';

/** The database cannot be used as it is. The message says what to do about it. */
export class SetupError extends Error {
  override readonly name = 'SetupError';

  constructor(
    readonly code: SetupErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
