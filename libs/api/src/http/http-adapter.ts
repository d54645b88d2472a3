import { randomBytes } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HEADERS } from '@meridian/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiOptions } from '../options.js';
import { ApiProblem } from './api-problem.js';
import { sendProblem } from './problem.filter.js';
import { refuseRaw } from './raw-refusal.js';
import { requestBody } from './request-body.js';
import { ServedMethods } from './served-methods.js';

/** Give to NestFactory.create, with `{ bodyParser: false }`: bodies are read here. */
export function createHttpAdapter(options: ApiOptions): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyLimitBytes,
    // Slow senders (slowloris) are cut off; the answer to a request may take its time.
    requestTimeout: options.requestTimeoutMs,
    // Node looks for late ones every 30 s unless told otherwise.
    http: { connectionsCheckingInterval: Math.min(1_000, options.requestTimeoutMs) },
    clientErrorHandler: refuseRaw,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    // Keys travel in paths; Node's own limit on a request's head (16 KB) is the real one.
    routerOptions: { maxParamLength: 8_192 },
    genReqId: traceIdOf,
    requestIdHeader: false,
    return503OnClosing: true,
    forceCloseConnections: true,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      void sendProblem(error, request.id, reply),
    logger: false,
  });
  configure(adapter.getInstance<FastifyInstance>(), options);
  return adapter;
}

function configure(server: FastifyInstance, options: ApiOptions): void {
  server.server.headersTimeout = options.requestTimeoutMs;
  const served = new ServedMethods();
  server.addHook('onRoute', ({ url, method }) => served.add(url, method));
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header(HEADERS.region, options.region);
    void reply.header('X-Content-Type-Options', 'nosniff');
    const methods = request.is404 ? served.of(request.url) : [];
    if (methods.length === 0) return done();
    void reply.header('Allow', methods.join(', '));
    const error = new ApiProblem('method_not_allowed', `this path is served under ${methods.join(', ')}`);
    sendProblem(error, request.id, reply);
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    /^application\/([\w.-]+\+)?json(\s*;|$)/,
    { parseAs: 'buffer' },
    (request: FastifyRequest, body, done) => {
      try {
        done(null, requestBody(request.url, body as Buffer, request.headers['content-encoding']));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** The trace that the caller is in (W3C traceparent), else a new one. */
function traceIdOf(request: { readonly headers: { readonly [name: string]: string | string[] | undefined } }): string {
  const parent = request.headers['traceparent'];
  const trace = typeof parent === 'string' ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(parent)?.[1] : undefined;
  return trace ?? `${PROCESS_ID}${(++requests).toString(16).padStart(16, '0')}`;
}

/** Random per process and counted per request: random bytes for each cost a percent of a write. */
const PROCESS_ID = randomBytes(8).toString('hex');
let requests = 0;
