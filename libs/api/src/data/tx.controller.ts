import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { HEADERS, TxRequest, TxResponse } from '@meridian/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { send } from '../http/answer.js';
import { Documented } from '../http/documented.js';
import { WRITE_PROBLEMS } from './data.openapi.js';
import { dataRequest } from './data-request.js';
import { requireBody } from './data.service.js';
import { TxService } from './tx.service.js';

@Controller('v1/tx')
export class TxController {
  constructor(private readonly tx: TxService) {}

  @Post()
  @HttpCode(200)
  @Documented({
    tag: 'Rows',
    summary: 'Several writes, one transaction',
    description: 'In their order, READ COMMITTED; visible in every other region whole or not at all.',
    headers: {
      [HEADERS.session]: 'The token of an earlier answer',
      [HEADERS.idempotencyKey]: 'Catches retries',
      [HEADERS.actor]: 'Who writes',
    },
    body: TxRequest,
    answers: {
      200: {
        description: 'All of them were done',
        schema: TxResponse,
        headers: { [HEADERS.region]: 'The region that answered', [HEADERS.session]: 'What this client has seen' },
      },
    },
    problems: [
      ...WRITE_PROBLEMS,
      'bad_key',
      'filter_required',
      'row_not_found',
      'precondition_failed',
      'invalid_document',
      'conflict_target_unknown',
    ],
  })
  async run(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.tx.run(requireBody(dataRequest(request))));
  }
}
