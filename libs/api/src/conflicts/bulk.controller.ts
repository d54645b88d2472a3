import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { BulkAnswer, BulkResolution } from '@meridian/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { dataRequest, refusePrecondition } from '../data/data-request.js';
import { send } from '../http/answer.js';
import { Documented } from '../http/documented.js';
import { BulkService } from './bulk.service.js';
import { OPERATOR_HEADERS, SESSION_ANSWER } from './conflict-actions.openapi.js';
import { ConflictActionsService } from './conflict-actions.service.js';
import { FILTER_PROBLEMS } from './conflicts.controller.js';

/** A colon that begins no parameter is written twice. */
@Controller('v1/conflicts::resolve')
export class BulkController {
  constructor(
    private readonly bulk: BulkService,
    private readonly actions: ConflictActionsService,
  ) {}

  @Post()
  @HttpCode(200)
  @Documented({
    tag: 'Conflicts',
    summary: 'Decide conflicts by filter',
    description:
      'Oldest first, each in a transaction of its own; one that cannot be decided is listed under `refused` and keeps none of the others. Decided ones are overruled when the filter names `resolved`, with a note.',
    headers: OPERATOR_HEADERS,
    body: BulkResolution,
    answers: { 200: { description: 'What was done, or would be', schema: BulkAnswer, headers: SESSION_ANSWER } },
    problems: [
      ...FILTER_PROBLEMS,
      'bad_cursor',
      'bad_header',
      'bad_json',
      'bad_token',
      'session_not_reached',
      'overloaded',
    ],
  })
  async resolve(
    @Body({ schema: BulkResolution }) request: BulkResolution,
    @Req() raw: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = dataRequest(raw);
    refusePrecondition(asked.etag, 'If-Match', 'with one conflict; here each is decided as it was read');
    const { actor, application } = asked;
    const answer = this.actions.writing(asked, async () => {
      const body = JSON.stringify(await this.bulk.resolve(request, { actor, application }));
      return { status: 200, headers: {}, body };
    });
    send(reply, await answer);
  }
}
