import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { HEADERS } from '@meridian/contract';
import {
  ANY_ETAG,
  parseKey,
  parseQuery,
  parseTableName,
  Refused,
  type RowTable,
  type RowWrite,
  type WriteResult,
} from '@meridian/core';
import type { Answer } from '../http/answer.js';
import { ApiProblem } from '../http/api-problem.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { SessionService } from '../session/session.service.js';
import { type DataRequest, refusePrecondition } from './data-request.js';
import { pageHeaders, paged } from './paging.js';
import { choosesNone } from './path-key.js';
import { parsePrefer } from './prefer.js';
import { writeAnswer } from './write-answer.js';

/** Rows: session in, one statement, session out. */
@Injectable()
export class DataService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
    private readonly sessions: SessionService,
  ) {}

  async table(name: string): Promise<RowTable> {
    const ref = parseTableName(name);
    const table = await this.ports.rows.table(ref);
    if (table === null)
      throw new Refused(
        'table_not_enrolled',
        `there is no enrolled table ${name}: enrol it with PUT /v1/tables/${encodeURIComponent(`${ref.schema}.${ref.name}`)}`,
        {
          table: name,
        },
      );
    return table;
  }

  async read(tableName: string, request: DataRequest): Promise<Answer> {
    const table = await this.table(tableName);
    const query = paged(parseQuery(request.parameters), request.range, request.rangeUnit, this.options.maxRows);
    return this.#reading(request, async () => {
      const page = await this.ports.rows.read(table, query, { count: parsePrefer(request.prefer).count });
      const { status, contentRange } = pageHeaders(query.offset, page.rows.length, page.total);
      return { status, headers: { 'Content-Range': contentRange }, body: `[${page.rows.join(',')}]` };
    });
  }

  async readOne(tableName: string, keyText: string, request: DataRequest): Promise<Answer> {
    const table = await this.table(tableName);
    const key = parseKey(keyText, table.keyColumns.length);
    const { select } = choosesNone(parseQuery(request.parameters));
    return this.#reading(request, async () => {
      const found = await this.ports.rows.readOne(table, key, select);
      if (found === null)
        throw new Refused('row_not_found', `${table.name} has no row with this key in this region`, {
          table: table.name,
        });
      const headers = { ETag: `"${found.etag}"` };
      return request.unlessEtag === found.etag || request.unlessEtag === ANY_ETAG
        ? { status: 304, headers, body: '' }
        : { status: 200, headers, body: found.row };
    });
  }

  async write(
    tableName: string,
    keyText: string | null,
    request: DataRequest,
    plan: (table: RowTable, key: readonly string[], request: DataRequest) => RowWrite,
  ): Promise<Answer> {
    const table = await this.table(tableName);
    const write = plan(table, keyText === null ? [] : parseKey(keyText, table.keyColumns.length), request);
    return this.writeAll(request, [write], ([result]) => writeAnswer(write, result!));
  }

  /** One or more writes as one request: in one transaction, at most once per Idempotency-Key. */
  async writeAll(
    request: DataRequest,
    writes: readonly RowWrite[],
    answer: (results: readonly WriteResult[]) => Answer,
  ): Promise<Answer> {
    refusePrecondition(request.unlessEtag, 'If-None-Match', 'with a read');
    const seen = await this.sessions.enter(request);
    const done = await this.#written(request, writes, answer);
    this.ports.relaying.written();
    return withSession(done, await this.sessions.leaveWrite(seen));
  }

  async #written(
    request: DataRequest,
    writes: readonly RowWrite[],
    answer: (results: readonly WriteResult[]) => Answer,
  ): Promise<Answer> {
    const { rows } = this.ports;
    const writer = { actor: request.actor, application: request.application };
    if (request.idempotencyKey !== null) {
      const digest = createHash('sha256').update(`${request.method}\n${request.url}\n${request.body}`).digest('hex');
      return rows.once({ key: request.idempotencyKey, digest }, writes, writer, answer);
    }
    const [first] = writes;
    // A single write that meets no row has written nothing, so its answer may be made after the commit.
    return writes.length === 1
      ? answer([await rows.write(first!, writer)])
      : rows.transaction(writes, writer, answer);
  }

  async #reading(request: DataRequest, read: () => Promise<Answer>): Promise<Answer> {
    const seen = await this.sessions.enter(request);
    const answer = await read();
    return withSession(answer, await this.sessions.leaveRead(seen));
  }
}

const withSession = (answer: Answer, token: string): Answer => ({
  ...answer,
  headers: { ...answer.headers, [HEADERS.session]: token },
});

export const requireBody = (request: DataRequest): DataRequest => {
  if (request.body === '') throw new ApiProblem('bad_body', 'a JSON body is missing (Content-Type: application/json)');
  return request;
};
