import type { TableName } from '@meridian/core';
import type { EnrolmentProblem } from '../catalog/refusal.js';
import type { TableFinding } from './table/table-finding.js';

/** error: something is not replicated, or will be lost; warning: it will be, or may; info: good to know. */
export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  readonly severity: Severity;
  readonly code: string;
  /** `server`, a role, a table as the log names it. */
  readonly about: string;
  readonly detail: string;
  /** What mends it; SQL where there is any. */
  readonly cure: string | null;
  /** For replication. */
  readonly meaning?: string;
  /** The statements of the cure, to be run as they are, one by one. */
  readonly sql?: readonly string[];
}

export const finding = (
  severity: Severity,
  code: string,
  about: string,
  detail: string,
  cure: string | null = null,
  more: Pick<Finding, 'meaning' | 'sql'> = {},
): Finding => ({ severity, code, about, detail, cure, ...more });

/** A table of the user's. `refused`: enrolling it would be, for these reasons; of an enrolled one, enrolling it anew. */
export interface ExaminedTable {
  readonly table: TableName;
  readonly state: 'enrolled' | 'waiting' | 'can_be_enrolled' | 'refused';
  readonly reasons: readonly EnrolmentProblem[];
}

/** A check of one table, among what is found in its region. Hints are for who asks about that table. */
export function amongFindings({ severity, code, subject, message, meaning, cure }: TableFinding): Finding[] {
  if (severity === 'hint') return [];
  const sql = cure.sql === undefined ? {} : { sql: cure.sql };
  return [finding(severity, code, subject, message, cure.text, { meaning, ...sql })];
}

/** What was found of a table in its region, as an answer about the table tells it. */
export const asTableFinding = ({ severity, code, about, detail, cure, meaning, sql }: Finding): TableFinding => ({
  ...{ severity, code, subject: about, message: detail },
  meaning: meaning ?? 'its changes do not go on in this region as long as this stands',
  cure: { text: cure ?? 'nothing has to be done', ...(sql === undefined ? {} : { sql }) },
});
