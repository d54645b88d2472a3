import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiModule, type ApiOptions, type ApiPorts, createHttpAdapter, prepareApi } from '@meridian/api';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** What peers call, under /v1/replication/: signed, and read and answered without Nest. */
export type PeerHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

const PEER_PATHS = '/v1/replication/';

export async function createHttpServer(
  ports: ApiPorts,
  options: ApiOptions,
  peers: PeerHandler,
): Promise<INestApplication> {
  const adapter = createHttpAdapter(options);
  (adapter.getInstance() as unknown as FastifyInstance).addHook('onRequest', (request, reply, done) => {
    if (!request.raw.url?.startsWith(PEER_PATHS)) return done();
    reply.hijack();
    void peers(request.raw, reply.raw);
  });
  const app = await NestFactory.create(ApiModule.register(ports, options), adapter, {
    bodyParser: false,
    logger: false,
  });
  prepareApi(app);
  return app;
}
