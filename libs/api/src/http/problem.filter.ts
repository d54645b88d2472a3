import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { type ProblemCode, PROBLEMS } from '@meridian/contract';
import { Refused } from '@meridian/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem, problemDocument } from './api-problem.js';

interface Told {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members: { readonly [name: string]: unknown };
}

/** What the HTTP server itself refuses, by its codes. */
const SERVER_CODES: { readonly [code: string]: readonly [ProblemCode, string] } = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'body_too_large',
    'send it in parts; the limit is http.bodyLimitBytes in the configuration',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'send Content-Type: application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['bad_request', "the body's length differs from Content-Length"],
  FST_ERR_BAD_URL: ['bad_request', 'the path is not percent-encoded UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: ['bad_request', 'a part of the path is too long'],
};

/** The one place where failures become answers. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>().id, http.getResponse<FastifyReply>());
  }
}

const logger = new Logger('http');

export function sendProblem(error: unknown, traceId: string, reply: FastifyReply): void {
  const { code, detail, members } = told(error);
  const { status } = PROBLEMS[code];
  if (status === 500)
    logger.error(
      { traceId, error: error instanceof Error ? (error.stack ?? error.message) : error },
      'a request failed',
    );
  // The stream has begun; there is no status left to send.
  if (reply.raw.headersSent) return void reply.raw.destroy();
  if (status === 503 || code === 'write_contention' || code === 'share_exhausted')
    void reply.header('Retry-After', '1');
  void reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify(problemDocument(code, detail, traceId, members)));
}

function told(error: unknown): Told {
  if (error instanceof ApiProblem) return { code: error.code, detail: error.message, members: error.members };
  if (error instanceof Refused) return { code: error.code, detail: error.message, members: { ...error.members } };
  if (error instanceof HttpException) return toldByNest(error);
  const code = error instanceof Error && 'code' in error ? SERVER_CODES[String(error.code)] : undefined;
  if (code !== undefined) return { code: code[0], detail: code[1], members: {} };
  return {
    code: 'internal_error',
    detail: 'the service failed; the log has the reason under the traceId',
    members: {},
  };
}

/** Nest passes the HTTP server's refusals on as exceptions of its own, by status. */
const BY_STATUS: { readonly [status: number]: readonly [ProblemCode, string] } = {
  404: ['not_found', 'nothing is served under this method and path; /openapi.json lists what there is'],
  408: ['request_timeout', 'send the whole request within http.requestTimeoutMs'],
  413: SERVER_CODES['FST_ERR_CTP_BODY_TOO_LARGE']!,
  415: SERVER_CODES['FST_ERR_CTP_INVALID_MEDIA_TYPE']!,
};

function toldByNest(error: HttpException): Told {
  const status = error.getStatus();
  const [code, detail] = BY_STATUS[status] ?? [status >= 500 ? 'internal_error' : 'bad_request', error.message];
  return { code, detail, members: {} };
}
