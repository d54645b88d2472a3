import { Controller, Get, HttpCode, Param, Patch, Req, Res } from '@nestjs/common';
import { HEADERS, RowText, TextEdit } from '@meridian/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { send } from '../../http/answer.js';
import { Documented } from '../../http/documented.js';
import { dataRequest } from '../data-request.js';
import { ANSWER, READ_PROBLEMS, ROW, SESSION, WRITE, WRITE_PROBLEMS } from '../data.openapi.js';
import { requireBody } from '../data.service.js';
import { TextService } from './text.service.js';

const TEXT = { ...ROW, column: 'A column with the policy "text"' };

@Controller('v1/data/:table/:key/text')
export class TextController {
  constructor(private readonly texts: TextService) {}

  @Get(':column')
  @Documented({
    tag: 'Rows',
    summary: 'A text, to be edited by many',
    description: `With a version to send edits against, and the state of a Y.Doc (getText('text')) that a client may begin from.`,
    params: TEXT,
    headers: SESSION,
    answers: { 200: { description: 'The text', schema: RowText, headers: ANSWER } },
    problems: [...READ_PROBLEMS, 'bad_key', 'row_not_found', 'not_a_text'],
  })
  async read(
    @Param('table') table: string,
    @Param('key') key: string,
    @Param('column') column: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.texts.read(table, key, column, dataRequest(request)));
  }

  @Patch(':column')
  @HttpCode(200)
  @Documented({
    tag: 'Rows',
    summary: 'Edit a text as it was at some version',
    description: `By operations or by an update of Yjs. What others wrote since stays, and so does the edit. A retry without ${HEADERS.idempotencyKey} is a second edit.`,
    params: TEXT,
    headers: WRITE,
    body: TextEdit,
    answers: { 200: { description: 'The text with the edit', schema: RowText, headers: ANSWER } },
    problems: [
      ...WRITE_PROBLEMS,
      ...(['bad_key', 'invalid_document', 'row_not_found'] as const),
      ...(['not_a_text', 'unfit_text_edit', 'text_version_expired'] as const),
    ],
  })
  async edit(
    @Param('table') table: string,
    @Param('key') key: string,
    @Param('column') column: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.texts.edit(table, key, column, requireBody(dataRequest(request))));
  }
}
