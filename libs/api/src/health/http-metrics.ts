import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';

/** Durations by route pattern, never by path: paths hold keys, and every key would be a series of its own. */
export function measureRequests(server: FastifyInstance, registry: Registry): void {
  const duration = new Histogram({
    name: 'meridian_http_request_duration_seconds',
    help: 'HTTP requests by route, from the head read to the answer sent',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  server.addHook('onResponse', (request, reply, done) => {
    duration.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    done();
  });
}
