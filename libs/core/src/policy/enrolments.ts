import type { Change } from '../change/change.js';
import type { TableName } from '../ids.js';
import type { TableSpec } from './table-policy.js';

/** What a region knows of its tables. */
export interface Enrolments {
  /** Enrolled tables by name, at their present epoch. */
  readonly tables: ReadonlyMap<TableName, TableSpec>;
  /**
   * The last epoch of a table's ended enrolments. It stays when the table is enrolled anew, under a higher epoch: a name
   * never has one epoch twice, whatever table it stands for.
   */
  readonly ended: ReadonlyMap<TableName, number>;
}

/**
 * `past`: of an enrolment that has ended here. All regions took the rows for equal when the next one began, or will, so it
 * must not be written to the table any more, and decides nothing. `unknown`: of an enrolment, or a policy, that is still on
 * its way here: what comes with it waits.
 */
export type Standing = 'past' | 'present' | 'unknown';

export function standingOf({ table, epoch }: Pick<Change, 'table' | 'epoch'>, { tables, ended }: Enrolments): Standing {
  if (isPast({ table, epoch }, ended)) return 'past';
  return epoch <= (tables.get(table)?.epoch ?? NONE) ? 'present' : 'unknown';
}

export const isPast = ({ table, epoch }: Pick<Change, 'table' | 'epoch'>, ended: Enrolments['ended']): boolean =>
  epoch <= (ended.get(table) ?? NONE);

/** Below every epoch. */
const NONE = -1;
