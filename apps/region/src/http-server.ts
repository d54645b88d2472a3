import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiModule, type ApiOptions, type ApiPorts, createHttpAdapter, limitRequests, prepareApi } from '@meridian/api';
import type { RateLimiter } from '@meridian/core';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { nestLogger } from './nest-logger.js';

/** What peers call, under /v1/replication/: signed, and read and answered without Nest. */
export type PeerHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

const PEER_PATHS = '/v1/replication/';

export async function createHttpServer(
  ports: ApiPorts,
  options: ApiOptions,
  peers: PeerHandler,
  rate: { readonly limiter: RateLimiter; readonly perSecond: number },
  log: Logger,
): Promise<INestApplication> {
  const adapter = createHttpAdapter(options);
  const server = adapter.getInstance<FastifyInstance>();
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.raw.url?.startsWith(PEER_PATHS)) return done();
    reply.hijack();
    void peers(request.raw, reply.raw);
  });
  const app = await NestFactory.create(ApiModule.register(ports, options), adapter, {
    bodyParser: false,
    logger: nestLogger(log),
  });
  prepareApi(app);
  if (rate.perSecond > 0) limitRequests(server, rate.limiter, rate.perSecond);
  return app;
}
