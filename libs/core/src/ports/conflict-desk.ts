import type { Choice } from '../conflict/remedy.js';
import type { JsonText } from '../ids.js';
import type { ShownConflict } from './conflict-reader.js';

/**
 * What operators do with conflicts. Each call is one transaction of ordinary writes, captured and replicated: the row's and
 * the decision's. Throws `Refused` for what cannot be done; resolves to the conflict as it is then.
 */
export interface ConflictDesk {
  resolve(id: string, resolution: Resolving, operator: Operator): Promise<ShownConflict>;
  /** Of an undecided conflict: what was overwritten goes back. Of a decided one: the row as it was before, and it is open again. */
  undo(id: string, note: string | null, operator: Operator): Promise<ShownConflict>;
  /** Open again; the row stays. */
  reopen(id: string, note: string | null, operator: Operator): Promise<ShownConflict>;
  /** Null takes it away. */
  triage(id: string, aspect: TriageAspect, value: string | null, operator: Operator): Promise<ShownConflict>;
}

export type TriageAspect = 'assignee' | 'snoozed_until' | 'note';

export interface Resolving {
  readonly choice: Exclude<Choice, { kind: 'value' }> | ValueChoice;
  readonly note: string | null;
}

/** A JSON object as the request had it: PostgreSQL gets every digit. */
export interface ValueChoice {
  readonly kind: 'value';
  readonly columns: readonly string[];
  readonly json: JsonText;
}

export interface Operator {
  /** Empty: not said. */
  readonly actor: string;
  /** The program it is asked with. */
  readonly application?: string | null;
  /** Only if the conflict is still this one; null: whatever it is. */
  readonly version: string | null;
}
