import type { RateLimit, RateLimiter } from '@meridian/core';
import type { FastifyInstance } from 'fastify';
import { ApiProblem } from './api-problem.js';
import { sendProblem } from './problem.filter.js';

/** An orchestrator's probes and a scrape must not fail because of a client behind the same address. */
const NOT_COUNTED = /^\/(livez|readyz|metrics)(\?|$)/;
/** A page of the dashboard, or a client that starts, asks for several things at once. */
const BURST_SECONDS = 2;

/** Answers 429 to a client address that asks more often than this. Before routing and reading of bodies: a refusal costs little. */
export function limitRequests(server: FastifyInstance, limiter: RateLimiter, requestsPerSecond: number): void {
  const limit: RateLimit = { burst: requestsPerSecond * BURST_SECONDS, perSecond: requestsPerSecond };
  server.addHook('onRequest', async (request, reply) => {
    if (NOT_COUNTED.test(request.url)) return;
    const { allowed, retryAfterMs } = await limiter.take(`ip:${request.ip}`, limit);
    if (allowed) return;
    // Whole seconds, and never 0: a client that obeys it must not come back at once.
    void reply.header('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
    const detail = `more than ${requestsPerSecond} requests a second came from this address (http.requestsPerSecond): wait as long as Retry-After says`;
    sendProblem(new ApiProblem('rate_limited', detail), request.id, reply);
    return reply;
  });
}
