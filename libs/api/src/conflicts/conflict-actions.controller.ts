import { Body, Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import {
  ConflictAssignment,
  ConflictNote,
  ConflictRemark,
  ConflictResolution,
  ConflictSnooze,
} from '@meridian/contract';
import type { TriageAspect } from '@meridian/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { dataRequest } from '../data/data-request.js';
import { requireBody } from '../data/data.service.js';
import { ApiProblem } from '../http/api-problem.js';
import { send } from '../http/answer.js';
import { ConflictActionsService } from './conflict-actions.service.js';
import { DocumentAction, ROW_PROBLEMS } from './conflict-actions.openapi.js';
import { resolutionOf } from './resolution-request.js';

/** A body that may be left out. */
const REMARK = ConflictRemark.prefault({});

@Controller('v1/conflicts')
export class ConflictActionsController {
  constructor(private readonly actions: ConflictActionsService) {}

  @Post(':id/resolve')
  @HttpCode(200)
  @DocumentAction(
    'Decide a conflict by hand',
    ConflictResolution,
    ROW_PROBLEMS,
    'Writes the row as any client does, in one transaction with the decision, and both replicate. Of a conflict that somebody has decided: with If-Match only.',
  )
  async resolve(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const asked = requireBody(dataRequest(request));
    const resolution = resolutionOf(asked.body);
    send(reply, await this.actions.act(id, asked, (desk, operator) => desk.resolve(id, resolution, operator)));
  }

  @Post(':id/undo')
  @HttpCode(200)
  @DocumentAction(
    'Write back what was overwritten, or take a decision back',
    ConflictRemark,
    ROW_PROBLEMS,
    'Of an undecided conflict: the overwritten values go back, a row that was deleted is there again. Of a decided one: the row is as it was before that decision, and the conflict open again. Every undo can be undone.',
  )
  async undo(
    @Param('id') id: string,
    @Body({ schema: REMARK }) { note }: z.output<typeof REMARK>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(
      reply,
      await this.actions.act(id, dataRequest(request), (desk, operator) => desk.undo(id, note ?? null, operator)),
    );
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @DocumentAction('Open a decided conflict again; the row stays', ConflictRemark, ['conflict_not_decided'])
  async reopen(
    @Param('id') id: string,
    @Body({ schema: REMARK }) { note }: z.output<typeof REMARK>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(
      reply,
      await this.actions.act(id, dataRequest(request), (desk, operator) => desk.reopen(id, note ?? null, operator)),
    );
  }

  @Post(':id/assign')
  @HttpCode(200)
  @DocumentAction('Say who looks after it', ConflictAssignment)
  async assign(
    @Param('id') id: string,
    @Body({ schema: ConflictAssignment }) { to }: z.output<typeof ConflictAssignment>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.#triage(id, 'assignee', to, request, reply);
  }

  @Post(':id/snooze')
  @HttpCode(200)
  @DocumentAction('Put it off', ConflictSnooze)
  async snooze(
    @Param('id') id: string,
    @Body({ schema: ConflictSnooze }) { until }: z.output<typeof ConflictSnooze>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (until !== null && Date.parse(until) <= Date.now())
      throw new ApiProblem('invalid_document', `until: ${until} is past already: name a time to come, or null`);
    await this.#triage(id, 'snoozed_until', until, request, reply);
  }

  @Post(':id/note')
  @HttpCode(200)
  @DocumentAction('Note something', ConflictNote)
  async note(
    @Param('id') id: string,
    @Body({ schema: ConflictNote }) { note }: z.output<typeof ConflictNote>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.#triage(id, 'note', note, request, reply);
  }

  async #triage(
    id: string,
    aspect: TriageAspect,
    value: string | null,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const triage = this.actions.act(id, dataRequest(request), (desk, operator) =>
      desk.triage(id, aspect, value, operator),
    );
    send(reply, await triage);
  }
}
