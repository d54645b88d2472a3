import type { TableName } from '@meridian/core';
import type { EnrolmentProblem } from '../catalog/refusal.js';

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
}

export const finding = (
  severity: Severity,
  code: string,
  about: string,
  detail: string,
  cure: string | null = null,
): Finding => ({ severity, code, about, detail, cure });

/** A table of the user's. `refused`: enrolling it would be, for these reasons; of an enrolled one, enrolling it anew. */
export interface ExaminedTable {
  readonly table: TableName;
  readonly state: 'enrolled' | 'waiting' | 'can_be_enrolled' | 'refused';
  readonly reasons: readonly EnrolmentProblem[];
}
