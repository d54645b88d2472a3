import type {
  ChangeFeed,
  ConflictDesk,
  ConflictReader,
  PolicyTrial,
  PositionStore,
  Relaying,
  RowLog,
  RowStore,
  TableRef,
} from '@meridian/core';
import type {
  Diagnosis,
  EnrolledTable,
  EnrolmentAnswer,
  Finding,
  RegionStatus,
  TableCheck,
  TablePolicy,
  TableRevision,
  Webhook,
  WebhookResumed,
  WebhookTrial,
} from '@meridian/contract';
import type { Registry } from 'prom-client';

/** What REST needs of the region; bound in apps/region. */
export interface ApiPorts {
  readonly rows: RowStore;
  readonly positions: PositionStore;
  readonly relaying: Relaying;
  readonly changes: ChangeFeed;
  readonly conflicts: ConflictReader;
  readonly rowLog: RowLog;
  readonly policyTrial: PolicyTrial;
  readonly desk: ConflictDesk;
  readonly tables: TableEnrolment;
  readonly cluster: ClusterStatus;
  readonly readiness: Readiness;
  readonly doctor: Doctor;
  readonly webhooks: WebhookDesk;
  /** Other parts of the service put their metrics here too. */
  readonly metrics: Registry;
}

/** Enrolment, in one region for all. */
export interface TableEnrolment {
  list(): Promise<readonly EnrolledTable[]>;
  get(table: TableRef): Promise<EnrolledTable | null>;
  /** The policies that it has or had since it was enrolled, newest first; null: it is not enrolled. */
  revisions(table: TableRef): Promise<readonly TableRevision[] | null>;
  /** Enrols the table, or changes its policy when it is enrolled. */
  put(table: TableRef, policy: TablePolicy): Promise<EnrolmentOutcome>;
  /** Ends replication of the table in all regions; its rows stay. */
  remove(table: TableRef): Promise<UnenrolmentOutcome>;
}

export type EnrolmentOutcome =
  | { readonly kind: 'enrolled'; readonly created: boolean; readonly table: EnrolmentAnswer }
  | { readonly kind: 'refused'; readonly reasons: readonly RefusedReason[] };

export type UnenrolmentOutcome =
  | { readonly kind: 'ended' | 'not enrolled' }
  /** In some regions it goes on, until they can be reached. */
  | { readonly kind: 'incomplete'; readonly reasons: readonly RefusedReason[] };

export interface RefusedReason {
  readonly code: string;
  readonly detail: string;
  readonly cure: string;
}

/** All regions of the cluster, this one included. */
export interface ClusterStatus {
  regions(): Promise<readonly RegionStatus[]>;
}

/** Ready once the region relays, receives and applies. */
export interface Readiness {
  checks(): Promise<readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[]>;
}

/** What is wrong in this region, and what mends it. */
export interface Doctor {
  examine(): Promise<{ readonly findings: readonly Finding[]; readonly tables: Diagnosis['tables'] }>;
  /** One table, here and compared with the other regions'. `policy`: as if it were enrolled under it. Null: no region has it. */
  check(table: TableRef, policy?: TablePolicy): Promise<Pick<TableCheck, 'table' | 'state' | 'items'> | null>;
}

/** Who this region tells of its conflicts. */
export interface WebhookDesk {
  list(): Promise<readonly Webhook[]>;
  /** Null: there is none of this name. */
  test(name: string): Promise<WebhookTrial | null>;
  resume(name: string): Promise<WebhookResumed | null>;
}
