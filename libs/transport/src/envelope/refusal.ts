/** Why a message was not taken. Each is counted: an operator sees an attack, a wrong secret or a bad disk by its number. */
export type RefusalCode =
  | 'empty'
  | 'truncated'
  | 'not_an_envelope'
  | 'unknown_version'
  | 'foreign_cluster'
  | 'bad_signature'
  | 'too_large'
  | 'wrong_origin'
  | 'altered'
  | 'malformed';

/** A message from outside that is not what it should be. Nothing of it has been used. */
export class EnvelopeRefusedError extends Error {
  constructor(
    readonly code: RefusalCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(`message refused (${code}): ${detail}`, options);
    this.name = 'EnvelopeRefusedError';
  }
}

/** Refusals since the start, for metrics. */
export class Refusals {
  private readonly byCode = new Map<RefusalCode, number>();

  count(code: RefusalCode): void {
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1);
  }

  counts(): ReadonlyMap<RefusalCode, number> {
    return this.byCode;
  }
}
