import { Controller, Get, Inject, Res } from '@nestjs/common';
import { Health } from '@meridian/contract';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Documented } from '../http/documented.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';

@Controller()
export class HealthController {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  @Get('livez')
  @Documented({
    tag: 'Operations',
    summary: 'Is the process alive',
    answers: { 200: { description: 'It is', schema: Health } },
    problems: [],
  })
  live(): Health {
    return { status: 'ok', region: this.options.region, checks: [] };
  }

  @Get('readyz')
  @Documented({
    tag: 'Operations',
    summary: 'Does the region relay, receive and apply',
    answers: {
      200: { description: 'It does', schema: Health },
      503: { description: 'Not yet, or not now; the checks say what is missing', schema: Health },
    },
    problems: [],
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const checks = [...(await this.ports.readiness.checks())];
    const ok = checks.every((c) => c.ok);
    void reply.code(ok ? 200 : 503);
    return { status: ok ? 'ok' : 'unavailable', region: this.options.region, checks };
  }

  @Get('metrics')
  @Documented({
    tag: 'Operations',
    summary: 'Metrics for Prometheus',
    answers: { 200: { description: 'Text exposition format', schema: z.string(), type: 'text/plain' } },
    problems: [],
  })
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    void reply.type(this.ports.metrics.contentType).send(await this.ports.metrics.metrics());
  }
}
