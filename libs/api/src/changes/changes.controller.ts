import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ChangeEvent, ChangesQuery, HEADERS } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Documented } from '../http/documented.js';
import { ChangesService } from './changes.service.js';
import { sendEvents } from './event-stream.js';

export const FEED_PROBLEMS = [
  'bad_cursor',
  'cursor_expired',
  'bad_table_name',
  'invalid_document',
  'database_unavailable',
] as const;

@Controller('v1/changes')
export class ChangesController {
  constructor(private readonly changes: ChangesService) {}

  @Get()
  @Documented({
    tag: 'Changes',
    summary: 'The change feed, as server-sent events',
    description:
      "Changes of all regions in the order in which they became visible here, each at least once; the id of an event is the cursor to go on from. A cursor that is older than what the log still holds is refused (410). Of a counter's update, `patch` holds the difference.",
    query: ChangesQuery,
    headers: { 'Last-Event-ID': 'Sent by browsers when they reconnect; goes before `since`' },
    answers: {
      200: {
        description: 'A stream of events `change`, and comments as heartbeats',
        schema: ChangeEvent,
        type: 'text/event-stream',
        headers: { [HEADERS.region]: 'The region that answers' },
      },
    },
    problems: [...FEED_PROBLEMS, 'table_not_enrolled'],
  })
  async follow(
    @Query({ schema: ChangesQuery }) query: z.infer<typeof ChangesQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const of = await this.changes.rows(query.table);
    const cursor = await this.changes.open(lastEventId ?? query.since, of);
    await sendEvents(reply, (sink, signal) => this.changes.stream(cursor, of, sink, signal));
  }
}
