import type { ConflictFilter } from '@meridian/contract';
import { type ConflictFilter as ReaderFilter, parseTableName, Refused } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import type { ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';

type Filter = Omit<ReaderFilter, 'limit' | 'cursor'>;

export function filterOf({ regions }: ApiOptions, query: ConflictFilter): Filter {
  if (query.region !== undefined && !regions.includes(query.region))
    throw new ApiProblem('unknown_region', `there is no region ${query.region}: the regions are ${regions.join(', ')}`);
  const { kind, region, status, since, table } = query;
  return { kind, region, status, since, table: table === undefined ? undefined : parseTableName(table) };
}

/** Records outlive the enrolment of their table: only where none is found, a name that is not enrolled is a mistake. */
export async function requireKnown(ports: ApiPorts, { table }: Filter, found: number): Promise<void> {
  if (table === undefined || table.schema === 'meridian' || found > 0 || (await ports.tables.get(table)) !== null)
    return;
  const name = `${table.schema}.${table.name}`;
  throw new Refused('table_not_enrolled', `${name} is not enrolled: GET /v1/tables lists those that are`, {
    table: name,
  });
}
