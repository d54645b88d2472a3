import { type Retry, TransactionRetryError } from '@meridian/core';
import { OVERTAKEN, ROW_APPEARED } from './expectations.js';

const RETRIES: Readonly<Record<string, Retry['retry']>> = {
  '55P03': 'lock timeout',
  '40P01': 'deadlock',
  '40001': 'overtaken',
  '23505': 'unique violation',
  '57014': 'lock timeout',
  [ROW_APPEARED]: 'row appeared',
  [OVERTAKEN]: 'overtaken',
};

interface ServerError {
  readonly code?: string;
  readonly message: string;
  readonly detail?: string;
  readonly constraint?: string;
}

/** The retry that a server's error stands for, or null: then it is an error. */
export function retryOf(error: unknown): Retry | null {
  const { code, message, detail } = error as ServerError;
  const retry = code === undefined ? undefined : RETRIES[code];
  return retry === undefined ? null : { retry, detail: detail === undefined ? message : `${message}: ${detail}` };
}

/** For steps whose answer has no room for a retry. */
export function retryError(error: unknown): unknown {
  const retry = retryOf(error);
  return retry === null ? error : new TransactionRetryError(retry, { cause: error });
}
