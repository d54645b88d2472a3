import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Controller, Get, Headers, Logger, Query, Res } from '@nestjs/common';
import { ChangeEvent, ChangesQuery, HEADERS } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Documented } from '../http/documented.js';
import { ChangesService, type EventSink } from './changes.service.js';

@Controller('v1/changes')
export class ChangesController {
  readonly #logger = new Logger('changes');

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
    problems: [
      'bad_cursor',
      'cursor_expired',
      'bad_table_name',
      'table_not_enrolled',
      'invalid_document',
      'database_unavailable',
    ],
  })
  async follow(
    @Query({ schema: ChangesQuery }) query: z.infer<typeof ChangesQuery>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { cursor, table } = await this.changes.open(lastEventId ?? query.since, query.table);
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    // A HEAD request (the server routes it here) wants no more than this.
    if (reply.request.method === 'HEAD') return void raw.end();
    raw.write(': open\n\n');
    const abort = new AbortController();
    raw.once('close', () => abort.abort());
    try {
      await this.changes.stream(cursor, table, sinkOf(raw), abort.signal);
    } catch (error) {
      // The stream cannot say why any more; its reader comes back with Last-Event-ID and misses nothing.
      if (!abort.signal.aborted)
        this.#logger.warn(`a change feed ended: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      raw.end();
    }
  }
}

const sinkOf = (raw: ServerResponse): EventSink => ({
  write: (text) => raw.write(text),
  drained: async (signal) => {
    await once(raw, 'drain', { signal }).catch(() => undefined);
  },
});
