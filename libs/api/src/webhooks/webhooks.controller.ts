import { Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { WebhookResumed, Webhooks, WebhookTrial } from '@meridian/contract';
import { ApiProblem } from '../http/api-problem.js';
import { Documented } from '../http/documented.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts, WebhookDesk } from '../ports.js';

const NAME = { name: 'As the configuration has it' };

@Controller('v1/webhooks')
export class WebhooksController {
  private readonly webhooks: WebhookDesk;

  constructor(@Inject(API_PORTS) ports: ApiPorts) {
    this.webhooks = ports.webhooks;
  }

  @Get()
  @Documented({
    tag: 'Webhooks',
    summary: 'Who this region tells of its conflicts, and how it goes',
    description: 'Each region tells of the records that are its own, to the webhooks of its own configuration.',
    answers: { 200: { description: 'All of them', schema: Webhooks } },
    problems: ['database_unavailable'],
  })
  async list(): Promise<Webhooks> {
    return { items: [...(await this.webhooks.list())], next: null };
  }

  @Post(':name/test')
  @HttpCode(200)
  @Documented({
    tag: 'Webhooks',
    summary: 'Send a message of type webhook.test, once',
    description: 'Signed like any other, to be answered at once; whatever comes of it changes nothing.',
    params: NAME,
    answers: { 200: { description: 'What became of it', schema: WebhookTrial } },
    problems: ['webhook_not_found'],
  })
  async test(@Param('name') name: string): Promise<WebhookTrial> {
    return (await this.webhooks.test(name)) ?? notFound(name);
  }

  @Post(':name/resume')
  @HttpCode(200)
  @Documented({
    tag: 'Webhooks',
    summary: 'Tell a webhook again that was stopped, and what was given up',
    params: NAME,
    answers: { 200: { description: 'It is told', schema: WebhookResumed } },
    problems: ['webhook_not_found', 'database_unavailable'],
  })
  async resume(@Param('name') name: string): Promise<WebhookResumed> {
    return (await this.webhooks.resume(name)) ?? notFound(name);
  }
}

function notFound(name: string): never {
  throw new ApiProblem(
    'webhook_not_found',
    `no webhook is called ${name}: GET /v1/webhooks lists those of this region's configuration`,
  );
}
