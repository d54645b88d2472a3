import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Controller, Get, Inject, Logger, Query, Res } from '@nestjs/common';
import { Conflict, ConflictExportQuery } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { filterOf } from './conflict-filter.js';
import { exportLines, type ExportFormat } from './conflict-export.js';
import { FILTER_PROBLEMS } from './conflicts.controller.js';

const TYPES: { readonly [format in ExportFormat]: string } = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

@Controller('v1/conflicts/export')
export class ConflictExportController {
  readonly #logger = new Logger('export');

  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  @Get()
  @Documented({
    tag: 'Conflicts',
    summary: 'All conflicts that a filter names, newest first, as NDJSON or CSV',
    description:
      'Streamed. Columns that the table\'s policy marks `secret` read "[redacted]", and so does every value of a table that is not enrolled any more. A stream that breaks off (its last chunk is missing) is to be asked for again.',
    query: ConflictExportQuery,
    answers: { 200: { description: 'One conflict a line', schema: Conflict, type: 'application/x-ndjson' } },
    problems: FILTER_PROBLEMS,
  })
  async export(
    @Query({ schema: ConflictExportQuery }) { format, ...query }: ConflictExportQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const pages = exportLines(this.ports.conflicts, filterOf(this.options, query), format);
    // The first page before the head: a failure until then is an answer.
    const first = await pages.next();
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...headers,
      'content-type': TYPES[format],
      'content-disposition': `attachment; filename="conflicts.${format}"`,
      'cache-control': 'no-store',
    });
    if (reply.request.method === 'HEAD') return void raw.end();
    await this.#send(raw, first, pages);
  }

  async #send(
    raw: ServerResponse,
    first: IteratorResult<string, void>,
    pages: AsyncGenerator<string, void>,
  ): Promise<void> {
    const closed = new AbortController();
    raw.once('close', () => closed.abort());
    try {
      for (let page = first; page.done !== true && !closed.signal.aborted; page = await pages.next())
        if (!raw.write(page.value)) await once(raw, 'drain', { signal: closed.signal }).catch(() => undefined);
      raw.end();
    } catch (error) {
      // Ended without its last chunk, so that the reader does not take what it has for all.
      this.#logger.warn(`an export broke off: ${error instanceof Error ? error.message : String(error)}`);
      raw.destroy();
    }
  }
}
