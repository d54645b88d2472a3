import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import { Conflict, ConflictQuery, Conflicts } from '@meridian/contract';
import { parseTableName, Refused } from '@meridian/core';
import type { FastifyReply } from 'fastify';
import { JSON_TYPE } from '../http/answer.js';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';

@Controller('v1/conflicts')
export class ConflictsController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  @Get()
  @Documented({
    tag: 'Conflicts',
    summary: 'What conflicted, newest first',
    query: ConflictQuery,
    answers: { 200: { description: 'A page', schema: Conflicts } },
    problems: [
      'invalid_document',
      'bad_cursor',
      'unknown_region',
      'bad_table_name',
      'table_not_enrolled',
      'database_unavailable',
    ],
  })
  async list(@Query({ schema: ConflictQuery }) query: ConflictQuery, @Res() reply: FastifyReply): Promise<void> {
    const { regions } = this.options;
    if (query.region !== undefined && !regions.includes(query.region))
      throw new ApiProblem(
        'unknown_region',
        `there is no region ${query.region}: the regions are ${regions.join(', ')}`,
      );
    const table = query.table === undefined ? undefined : parseTableName(query.table);
    const page = await this.ports.conflicts.list({ ...query, table });
    // Records outlive the enrolment of their table.
    if (table !== undefined && page.items.length === 0 && (await this.ports.tables.get(table)) === null)
      throw new Refused('table_not_enrolled', `${query.table} is not enrolled: GET /v1/tables lists those that are`, {
        table: query.table!,
      });
    void reply.type(JSON_TYPE).send(`{"items":[${page.items.join(',')}],"next":${JSON.stringify(page.next)}}`);
  }

  @Get(':id')
  @Documented({
    tag: 'Conflicts',
    summary: 'One conflict',
    params: { id: "The record's id" },
    answers: { 200: { description: 'The record', schema: Conflict } },
    problems: ['conflict_not_found', 'database_unavailable'],
  })
  async get(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const found = id.includes('\0') ? null : await this.ports.conflicts.get(id);
    if (found === null)
      throw new ApiProblem(
        'conflict_not_found',
        'no conflict has this id in this region: GET /v1/conflicts lists them',
      );
    void reply.type(JSON_TYPE).send(found);
  }
}
