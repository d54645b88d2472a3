import type { TableName } from '@meridian/core';
import type { Rows, Session } from '../connection/session.js';
import { onTable } from './waiting-changes.js';

/** One of step 3's, made but not yet sent. */
export interface WriteStatement {
  /** Whose refusal its failure may be; null: it is on a table of ours. */
  readonly table: TableName | null;
  readonly text: string;
  readonly values: readonly unknown[];
  /** `kept`: its plan is made once. A DELETE or UPDATE cannot be kept to lookups: it is planned for the table as it is then. */
  readonly plan: 'kept' | 'anew';
}

export function send(session: Session, { table, text, values, plan }: WriteStatement): Promise<Rows> {
  const run = () => (plan === 'kept' ? session.prepare(text, values) : session.query(text, values));
  return table === null ? run() : onTable(table, run);
}
