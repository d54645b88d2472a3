import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ConflictChange, ConflictChangesQuery, HEADERS } from '@meridian/contract';
import { type Followed, parseTableName } from '@meridian/core';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { FEED_PROBLEMS } from '../changes/changes.controller.js';
import { ChangesService } from '../changes/changes.service.js';
import { sendEvents } from '../changes/event-stream.js';
import { Documented } from '../http/documented.js';

@Controller('v1/conflicts/changes')
export class ConflictChangesController {
  constructor(private readonly changes: ChangesService) {}

  @Get()
  @Documented({
    tag: 'Conflicts',
    summary: 'What becomes of conflicts, as server-sent events',
    description:
      'Of all regions, in the order in which it became visible here, each at least once; events are named by their `type`, and the id of one is the cursor to go on from. A cursor that is older than what the log still holds is refused (410).',
    query: ConflictChangesQuery,
    headers: { 'Last-Event-ID': 'Sent by browsers when they reconnect; goes before `since`' },
    answers: {
      200: {
        description: 'A stream of events, and comments as heartbeats',
        schema: ConflictChange,
        type: 'text/event-stream',
        headers: { [HEADERS.region]: 'The region that answers' },
      },
    },
    problems: FEED_PROBLEMS,
  })
  async follow(
    @Query({ schema: ConflictChangesQuery }) { since, table }: z.infer<typeof ConflictChangesQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // Records outlive the enrolment of their table, so any name will do.
    const of: Followed = { kind: 'conflicts', table: table === undefined ? null : parseTableName(table) };
    const cursor = await this.changes.open(lastEventId ?? since, of);
    await sendEvents(reply, (sink, signal) => this.changes.stream(cursor, of, sink, signal));
  }
}
