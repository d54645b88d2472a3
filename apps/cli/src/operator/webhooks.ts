import type { WebhookResumed, Webhooks, WebhookTrial } from '@meridian/contract';
import type { Command } from 'commander';
import { operator, type Output } from './operator-command.js';
import { call } from './rest.js';
import { printColumns, printJson } from './table-output.js';

export function webhookCommands(program: Command): void {
  const webhooks = program.command('webhooks').description('who a region tells of its conflicts');
  operator(webhooks, 'list', 'how it goes').action((options: Output) => list(options));
  operator(webhooks, 'test <name>', 'send it a message of type webhook.test; status 1: it was not taken').action(
    async (name: string, options: Output) => {
      const trial = await call<WebhookTrial>(options, 'POST', `${path(name)}/test`);
      process.exitCode = trial.told ? 0 : 1;
      if (options.output === 'json') printJson(trial);
      else process.stdout.write(`${name}: ${trial.detail}${trial.status === null ? '' : ` (${trial.status})`}\n`);
    },
  );
  operator(webhooks, 'resume <name>', 'tell it again when it was stopped, and what was given up').action(
    async (name: string, options: Output) => {
      const resumed = await call<WebhookResumed>(options, 'POST', `${path(name)}/resume`);
      if (options.output === 'json') printJson(resumed);
      else process.stdout.write(`${name} is told ${resumed.waiting} events now\n`);
    },
  );
}

const path = (name: string): string => `/v1/webhooks/${encodeURIComponent(name)}`;

async function list(options: Output): Promise<void> {
  const answer = await call<Webhooks>(options, 'GET', '/v1/webhooks');
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['WEBHOOK', 'TO', 'STATE', 'WAITING', 'FAILED', 'TOLD AT', 'DETAIL'],
    answer.items.map((w) => [
      ...[w.name, w.to, w.state, String(w.waiting), String(w.failed), w.toldAt ?? '-', w.detail ?? ''],
    ]),
  );
}
