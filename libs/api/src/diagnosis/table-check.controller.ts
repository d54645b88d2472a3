import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { TABLE_SEVERITIES, TableCheck, TableCheckQuery } from '@meridian/contract';
import { parseTableName } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';

@Controller('v1/tables')
export class TableCheckController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  @Get(':table/check')
  @Documented({
    tag: 'Tables',
    summary: 'What is to be known of a table before it is enrolled, and while it is',
    description:
      'Keys, constraints, triggers, rights, defaults, and how the table differs in other regions; each with what it means for replication, and with the SQL that mends it. Looks, and changes nothing.',
    params: { table: 'items, schema.items or "My Schema"."My Table", percent-encoded' },
    query: TableCheckQuery,
    answers: { 200: { description: 'All that was found', schema: TableCheck } },
    problems: ['bad_table_name', 'table_not_found', 'invalid_document', 'database_unavailable'],
  })
  async check(
    @Param('table') name: string,
    @Query({ schema: TableCheckQuery }) { policy }: TableCheckQuery,
  ): Promise<TableCheck> {
    const found = await this.ports.doctor.check(parseTableName(name), policy);
    if (found === null)
      throw new ApiProblem(
        'table_not_found',
        `no region has a table ${name}: GET /v1/diagnosis lists those of this one; CREATE TABLE makes it`,
        { table: name },
      );
    const items = TABLE_SEVERITIES.flatMap((severity) => found.items.filter((f) => f.severity === severity));
    return { ...found, region: this.options.region, items, next: null };
  }
}
