import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { HistoryQuery, RowExplanation, RowHistory, RowSiblings } from '@meridian/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { dataRequest } from '../data/data-request.js';
import { ANSWER, READ_PROBLEMS, ROW, SESSION } from '../data/data.openapi.js';
import { send } from '../http/answer.js';
import { Documented } from '../http/documented.js';
import { RowLogService } from './row-log.service.js';

@Controller('v1/data/:table/:key')
export class RowLogController {
  constructor(private readonly log: RowLogService) {}

  @Get('history')
  @Documented({
    tag: 'Rows',
    summary: 'Every version of a row that the log of this region still has',
    description:
      'Newest first. Who had seen what is told for each, so concurrent writes show. A region has its own writes one by one, and those of another as they came: several of one tick as one.',
    params: ROW,
    query: HistoryQuery,
    headers: SESSION,
    answers: { 200: { description: 'A page', schema: RowHistory, headers: ANSWER } },
    problems: [...READ_PROBLEMS, 'bad_key', 'bad_cursor', 'invalid_document', 'row_not_found'],
  })
  async history(
    @Param('table') table: string,
    @Param('key') key: string,
    @Query({ schema: HistoryQuery }) query: HistoryQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.log.history(table, key, query, dataRequest(request)));
  }

  @Get('siblings')
  @Documented({
    tag: 'Rows',
    summary: 'What stands beside the values of a row',
    description:
      'Of columns with the policy "register": the values that regions wrote without having seen one another, until somebody writes the column, or deletes the row, who has seen them. A row that has any says so in Meridian-Siblings.',
    params: ROW,
    headers: SESSION,
    answers: { 200: { description: 'The siblings', schema: RowSiblings, headers: ANSWER } },
    problems: [...READ_PROBLEMS, 'bad_key', 'row_not_found'],
  })
  async siblings(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.log.siblings(table, key, dataRequest(request)));
  }

  @Get('explain')
  @Documented({
    tag: 'Rows',
    summary: 'Why a row is as it is',
    description:
      'For its existence and each of its columns: the change that it comes from, what that was decided against, and why; also of a row that is parked or deleted.',
    params: ROW,
    headers: SESSION,
    answers: { 200: { description: 'The explanation', schema: RowExplanation, headers: ANSWER } },
    problems: [...READ_PROBLEMS, 'bad_key', 'row_not_found'],
  })
  async explain(
    @Param('table') table: string,
    @Param('key') key: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.log.explain(table, key, dataRequest(request)));
  }
}
