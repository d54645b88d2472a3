import type { RegionId, TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import { readTable, type TableRef } from '../catalog/read-table.js';
import { type EnrolledTable, readEnrolled } from '../enrolment/stored-table.js';
import { isNamed } from '../enrolment/table-standing.js';
import type { Place } from '../enrolment/targets.js';
import { asTableFinding, type ExaminedTable } from './finding.js';
import { checkTable, examineTable, isTable, type Surroundings } from './table/check-table.js';
import { readFacts } from './table/table-facts.js';
import type { TableFinding } from './table/table-finding.js';
import { readShape, type TableShape } from './table/table-shape.js';
import { countWaiting, driftFindings, waitFindings } from './tables.js';

/** One table, looked at in one region: before it is enrolled, or while it is. */
export interface TableCheck {
  readonly table: TableName;
  readonly state: ExaminedTable['state'];
  readonly findings: readonly TableFinding[];
  /** For the comparison with other regions; null: the table is gone here. */
  readonly shape: TableShape | null;
}

/** Null: no such table, and none is enrolled under the name. */
export async function checkTableHere(
  client: ClientBase,
  ref: TableRef,
  place: Place,
  replicaRole: boolean,
  regions: readonly RegionId[],
  policy: unknown,
): Promise<TableCheck | null> {
  const enrolled = await readEnrolled(client);
  const known = enrolled.find((t) => isNamed(t.name, ref));
  const table = await readTable(client, ref);
  if (table === null) return known === undefined ? null : gone(known);
  const around: Surroundings = { place, replicaRole, regions, enrolled };
  const examined = await examineTable(client, table, around, policy);
  const found = await checkTable(client, examined);
  const standing = known === undefined ? [] : await standingOf(client, known, place);
  const refused = found.some((f) => f.severity === 'error');
  return {
    table: table.name,
    state:
      known === undefined
        ? refused
          ? 'refused'
          : 'can_be_enrolled'
        : known.state === 'waiting'
          ? 'waiting'
          : 'enrolled',
    findings: [...standing, ...found],
    shape: await readShape(client, table, examined.facts),
  };
}

async function standingOf(client: ClientBase, known: EnrolledTable, place: Place): Promise<TableFinding[]> {
  const waiting = waitFindings(known, await countWaiting(client));
  return [...waiting, ...(await driftFindings(client, known, place))].map(asTableFinding);
}

const gone = ({ name }: EnrolledTable): TableCheck => ({
  ...{ table: name, state: 'waiting', shape: null },
  findings: [missing(name)],
});

const missing = (table: TableName): TableFinding => ({
  ...{ code: 'table_missing', severity: 'error', subject: table },
  message: 'it is enrolled, and there is no such table here',
  meaning: 'changes of it wait here',
  cure: {
    text: `make it as it is in the other regions (pg_dump --schema-only --table); or end its replication: DELETE /v1/tables/${encodeURIComponent(table)}`,
  },
});

/** What another region compares its own table with; null: there is none here. */
export async function shapeHere(client: ClientBase, ref: TableRef): Promise<TableShape | null> {
  const table = await readTable(client, ref);
  if (table === null || !isTable(table)) return null;
  return readShape(client, table, await readFacts(client, table));
}
