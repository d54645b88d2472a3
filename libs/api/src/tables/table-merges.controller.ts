import { Controller, Get, Inject, Param } from '@nestjs/common';
import { TableMerges } from '@meridian/contract';
import { parseTableName } from '@meridian/core';
import { Documented } from '../http/documented.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { notEnrolled, TABLE } from './enrolment-answer.js';

@Controller('v1/tables/:table/merges')
export class TableMergesController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Documented({
    tag: 'Tables',
    summary: 'How often concurrent values became one that lost nothing',
    description:
      'Counters, sets, maps and merge functions; no record tells of these. Each merge counts in one region: added up over all regions, once.',
    params: TABLE,
    answers: { 200: { description: "This region's share", schema: TableMerges } },
    problems: ['bad_table_name', 'table_not_enrolled', 'database_unavailable'],
  })
  async list(@Param('table') name: string): Promise<TableMerges> {
    const table = parseTableName(name);
    if ((await this.ports.tables.get(table)) === null) notEnrolled(name);
    const counts = await this.ports.merges.counts(table);
    return {
      items: counts.map(({ columns, policy, merges, since }) => ({ columns: [...columns], policy, merges, since })),
      next: null,
    };
  }
}
