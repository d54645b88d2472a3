import { FUNCTION_WAITS, type RegionId, type TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { readUserTables } from '../catalog/read-table.js';
import type { EnrolmentProblem } from '../catalog/refusal.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import { hasDrifted } from '../capture/drift.js';
import { roleProblems } from '../enrolment/grants.js';
import { type EnrolledTable, readEnrolled } from '../enrolment/stored-table.js';
import { type Place, presentTable } from '../enrolment/targets.js';
import { amongFindings, finding, type ExaminedTable, type Finding } from './finding.js';
import { checks, examineTable, type Surroundings } from './table/check-table.js';

interface Examination {
  readonly tables: readonly ExaminedTable[];
  readonly findings: readonly Finding[];
}

/** Every table of the user's as `PUT /v1/tables/…` would judge it now, and what is wrong with those that are enrolled. */
export async function examineTables(
  client: ClientBase,
  place: Place,
  replicaRole: boolean,
  regions: readonly RegionId[],
): Promise<Examination> {
  const catalog = await readUserTables(client);
  const all = await readEnrolled(client);
  const around: Surroundings = { place, replicaRole, regions, enrolled: all };
  const enrolled = new Map(all.map((t) => [t.name, t]));
  const waiting = await countWaiting(client);
  const tables: ExaminedTable[] = [];
  const findings: Finding[] = [];
  for (const table of catalog) {
    const known = enrolled.get(table.name);
    const reasons = await refusals(client, table, known, place.applyRole, replicaRole);
    const state = known === undefined ? (reasons.length > 0 ? 'refused' : 'can_be_enrolled') : stateOf(known);
    tables.push({ table: table.name, state, reasons });
    if (known === undefined) continue;
    findings.push(...waitFindings(known, waiting), ...reasons.map((reason) => noLonger(table.name, reason)));
    if (reasons.length === 0) findings.push(...(await driftFindings(client, known, place)));
    findings.push(...(await checksOfEnrolled(client, table, around)));
  }
  const present = new Set(catalog.map((t) => t.name));
  for (const { name } of enrolled.values())
    if (!present.has(name) && !name.startsWith('meridian.')) findings.push(gone(name));
  return { tables, findings };
}

const stateOf = ({ state }: EnrolledTable): ExaminedTable['state'] => (state === 'waiting' ? 'waiting' : 'enrolled');

async function refusals(
  client: ClientBase,
  table: CatalogTable,
  enrolled: EnrolledTable | undefined,
  applyRole: string,
  replicaRole: boolean,
): Promise<EnrolmentProblem[]> {
  const { problems } = resolvePolicy(enrolled?.policy ?? {}, table, enrolled?.spec.epoch ?? 1);
  return [...problems, ...(await roleProblems(client, table, applyRole, replicaRole))];
}

/** Good to know is told to who asks about the table. Rights are asked for by the role, for tables that are gone as well. */
async function checksOfEnrolled(client: ClientBase, table: CatalogTable, around: Surroundings): Promise<Finding[]> {
  const found = await checks(client, await examineTable(client, table, around));
  return found
    .filter((f) => (f.severity === 'error' || f.severity === 'warning') && f.code !== 'table_rights')
    .flatMap(amongFindings);
}

export async function countWaiting(client: ClientBase): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ rel: string; n: number }>(
    'SELECT rel, count(*)::int AS n FROM meridian.waiting_change GROUP BY rel',
  );
  return new Map(rows.map(({ rel, n }) => [rel, n]));
}

export function waitFindings({ name, state, reason }: EnrolledTable, waiting: ReadonlyMap<string, number>): Finding[] {
  if (state !== 'waiting') return [];
  const changes = `${waiting.get(name) ?? 0} changes wait here, and nothing is dropped from the log until they are in`;
  const cure = reason?.startsWith(FUNCTION_WAITS) === true ? functionCure(name) : SAME_TABLE;
  return [finding('error', 'table_waits', name, `${changes}: ${reason ?? 'the table cannot take them'}`, cure)];
}

const SAME_TABLE = 'make the table as it is in the other regions: it then goes on by itself';

/** What conflicts is decided by the newest policy that one of its versions was written under (ADR 19). */
const functionCure = (table: TableName): string =>
  `it is tried again all the time, and goes on when the function ends in time. One that never does: put a policy in force that does without it, or with it mended (PUT or POST …/revert of /v1/tables/${encodeURIComponent(table)}), then write these columns of this row anew here, with other values: the new policy decides`;

const noLonger = (table: TableName, { message, cure }: EnrolmentProblem): Finding =>
  finding(
    'error',
    'table_not_replicable',
    table,
    `it is enrolled, and would be refused as it is now: ${message}`,
    cure,
  );

export async function driftFindings(client: ClientBase, enrolled: EnrolledTable, place: Place): Promise<Finding[]> {
  const { capture, differs } = await presentTable(client, enrolled, place);
  const cure = 'make it as the regions agreed, or agree anew, in all regions: PUT /v1/tables/…';
  const different = differs === null ? [] : [finding('error', 'table_differs', enrolled.name, differs, cure)];
  if (capture === null || !(await hasDrifted(client, capture.target))) return different;
  const what =
    'its capture is not what its columns, triggers and partitions ask for: it is made for each statement anew';
  const soon = 'it is generated anew within some 10 s; if this stays, enrol the table again';
  return [...different, finding('warning', 'capture_drift', enrolled.name, what, soon)];
}

const gone = (table: TableName): Finding =>
  finding(
    'error',
    'table_missing',
    table,
    'it is enrolled, and there is no such table here: changes of it wait',
    `make it as it is in the other regions; or end its replication: DELETE /v1/tables/${encodeURIComponent(table)}`,
  );
