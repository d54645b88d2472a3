import type { RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../../catalog/catalog-table.js';
import { parentProblems } from '../../catalog/foreign-key-problems.js';
import { keySequenceProblems, readKeySequences } from '../../catalog/key-sequences.js';
import type { EnrolmentProblem } from '../../catalog/refusal.js';
import { resolvePolicy } from '../../catalog/resolve-policy.js';
import { roleProblems } from '../../enrolment/grants.js';
import { referrerProblems } from '../../enrolment/referrers.js';
import type { EnrolledTable } from '../../enrolment/stored-table.js';
import type { Place } from '../../enrolment/targets.js';
import { counters } from './counters.js';
import type { Examined } from './examined.js';
import { foreignKeys } from './foreign-keys.js';
import { groups } from './groups.js';
import { keyNumbers } from './key-numbers.js';
import { localDefaults } from './local-defaults.js';
import { refusals } from './refusals.js';
import { rewriteRules } from './rewrite-rules.js';
import { rights } from './rights.js';
import { sequences } from './sequences.js';
import { readFacts } from './table-facts.js';
import type { TableFinding } from './table-finding.js';
import { readTriggerWrites } from './trigger-writes.js';
import { triggers } from './triggers.js';
import { uniqueKeys } from './unique-keys.js';
import { wideRows } from './wide-rows.js';

/** Where a table is looked at, and among what. */
export interface Surroundings {
  readonly place: Place;
  readonly replicaRole: boolean;
  readonly regions: readonly RegionId[];
  readonly enrolled: readonly EnrolledTable[];
}

/** `policy`: as if it were enrolled under it; left out, as it is enrolled, or by the defaults. */
export async function examineTable(
  client: ClientBase,
  table: CatalogTable,
  around: Surroundings,
  policy?: unknown,
): Promise<Examined> {
  const enrolled = around.enrolled.find((t) => t.name === table.name);
  const asked = policy ?? enrolled?.policy ?? {};
  const resolved = resolvePolicy(asked, table, enrolled?.spec.epoch ?? 1);
  return {
    ...{ table, place: around.place, regions: around.regions, policy: asked, enrolled },
    facts: await readFacts(client, table),
    problems: [...resolved.problems, ...(await relatedProblems(client, table, around))],
    resolved: resolved.spec === null ? null : resolved,
    enrolledTables: new Set(around.enrolled.map((t) => t.name)),
  };
}

/** What `PUT /v1/tables/…` refuses beside what is wrong with the table itself. */
async function relatedProblems(
  client: ClientBase,
  table: CatalogTable,
  { place, replicaRole }: Surroundings,
): Promise<EnrolmentProblem[]> {
  if (!isTable(table)) return [];
  return [
    ...(await roleProblems(client, table, place.applyRole, replicaRole)),
    ...(await parentProblems(client, table)),
    ...(await referrerProblems(client, table, place.applyRole)),
    ...keySequenceProblems(await readKeySequences(client, table)),
  ];
}

export const isTable = ({ kind }: CatalogTable): boolean => kind === 'r' || kind === 'p';

/** Beside what enrolling refuses: what would go wrong later, and what happens. */
export async function checks(client: ClientBase, examined: Examined): Promise<TableFinding[]> {
  if (!isTable(examined.table)) return [];
  return [
    ...keyNumbers(examined),
    ...sequences(examined),
    ...uniqueKeys(examined),
    ...foreignKeys(examined),
    ...triggers(examined, await readTriggerWrites(client, examined.table, examined.facts)),
    ...rewriteRules(examined),
    ...(await rights(client, examined)),
    ...localDefaults(examined),
  ];
}

/** What could be better. */
async function hints(client: ClientBase, examined: Examined): Promise<TableFinding[]> {
  if (!isTable(examined.table)) return [];
  return [...groups(examined), ...(await counters(client, examined)), ...wideRows(examined)];
}

export const checkTable = async (client: ClientBase, examined: Examined): Promise<TableFinding[]> => [
  ...refusals(examined),
  ...(await checks(client, examined)),
  ...(await hints(client, examined)),
];
