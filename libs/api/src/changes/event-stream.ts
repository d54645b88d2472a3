import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EventSink } from './changes.service.js';

const logger = new Logger('changes');

/** Server-sent events, until the reader goes. */
export async function sendEvents(
  reply: FastifyReply,
  stream: (sink: EventSink, signal: AbortSignal) => Promise<void>,
): Promise<void> {
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
    await stream(sinkOf(raw), abort.signal);
  } catch (error) {
    // The stream cannot say why any more; its reader comes back with Last-Event-ID and misses nothing.
    if (!abort.signal.aborted)
      logger.warn(`a change feed ended: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    raw.end();
  }
}

const sinkOf = (raw: ServerResponse): EventSink => ({
  write: (text) => raw.write(text),
  drained: async (signal) => {
    await once(raw, 'drain', { signal }).catch(() => undefined);
  },
});
