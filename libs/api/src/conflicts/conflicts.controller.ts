import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import { Conflict, ConflictQuery, Conflicts } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import { JSON_TYPE } from '../http/answer.js';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';

@Controller('v1/conflicts')
export class ConflictsController {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  @Get()
  @Documented({
    tag: 'Conflicts',
    summary: 'What conflicted, newest first',
    query: ConflictQuery,
    answers: { 200: { description: 'A page', schema: Conflicts } },
    problems: ['invalid_document', 'bad_cursor', 'database_unavailable'],
  })
  async list(@Query({ schema: ConflictQuery }) query: ConflictQuery, @Res() reply: FastifyReply): Promise<void> {
    const page = await this.ports.conflicts.list(query);
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
