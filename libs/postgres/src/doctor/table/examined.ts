import type { RegionId, TableName, TableSpec } from '@meridian/core';
import type { CatalogTable } from '../../catalog/catalog-table.js';
import type { PolicyDocument } from '../../catalog/policy-document.js';
import type { EnrolmentProblem } from '../../catalog/refusal.js';
import type { EnrolledTable } from '../../enrolment/stored-table.js';
import type { Place } from '../../enrolment/targets.js';
import type { TableFacts } from './table-facts.js';

/** All that the checks of one table are made of. */
export interface Examined {
  readonly table: CatalogTable;
  readonly facts: TableFacts;
  readonly place: Place;
  /** All of the cluster, this one included. */
  readonly regions: readonly RegionId[];
  /** Why enrolling it would be refused, as it is now and by the policy that was asked for. */
  readonly problems: readonly EnrolmentProblem[];
  /** The policy, and what it comes to in this table; null where there are problems. */
  readonly resolved: { readonly spec: TableSpec; readonly document: PolicyDocument } | null;
  readonly policy: unknown;
  readonly enrolled: EnrolledTable | undefined;
  readonly enrolledTables: ReadonlySet<TableName>;
}
