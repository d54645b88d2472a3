import { Controller, Get, Inject, Param, Query, Res } from '@nestjs/common';
import { Conflict, ConflictQuery, Conflicts } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import { JSON_TYPE, send } from '../http/answer.js';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { filterOf, requireKnown } from './conflict-filter.js';
import { conflictNotFound, shownAnswer } from './conflict-answer.js';

export const FILTER_PROBLEMS = [
  'invalid_document',
  'unknown_region',
  'bad_table_name',
  'table_not_enrolled',
  'database_unavailable',
] as const;

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
    problems: [...FILTER_PROBLEMS, 'bad_cursor'],
  })
  async list(@Query({ schema: ConflictQuery }) query: ConflictQuery, @Res() reply: FastifyReply): Promise<void> {
    const filter = filterOf(this.options, query);
    const { items, next } = await this.ports.conflicts.list({ ...filter, limit: query.limit, cursor: query.cursor });
    await requireKnown(this.ports, filter, items.length);
    const texts = items.map((i) => i.conflict).join(',');
    void reply.type(JSON_TYPE).send(`{"items":[${texts}],"next":${JSON.stringify(next)}}`);
  }

  @Get(':id')
  @Documented({
    tag: 'Conflicts',
    summary: 'One conflict',
    params: { id: "The record's id" },
    answers: {
      200: {
        description: 'The record, and what operators decided',
        schema: Conflict,
        headers: { ETag: 'For If-Match; the same in every region' },
      },
    },
    problems: ['conflict_not_found', 'database_unavailable'],
  })
  async get(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    const found = id.includes('\0') ? null : await this.ports.conflicts.get(id);
    if (found === null) throw conflictNotFound();
    send(reply, shownAnswer(found));
  }
}
