import { readFileSync } from 'node:fs';
import type { PolicyPreview, PolicyPreviewRequest } from '@meridian/contract';
import type { Command } from 'commander';
import { operator, type Output } from './operator-command.js';
import { call } from './rest.js';
import { printColumns, printJson } from './table-output.js';

interface Asked extends Output {
  readonly policy?: string;
  readonly policyFile?: string;
  readonly since?: string;
  readonly limit: string;
}

/** `meridian conflicts preview`: nothing is changed. */
export function previewCommand(conflicts: Command): void {
  operator(conflicts, 'preview <table>', 'which recorded conflicts would end differently under another policy')
    .option('--policy <json>', 'as PUT /v1/tables takes it')
    .option('--policy-file <file>', 'the same from a file')
    .option('--since <time>', 'only those recorded at this time or later')
    .option('--limit <n>', 'look at so many, the newest', '10000')
    .action((table: string, options: Asked) => preview(table, options));
}

async function preview(table: string, options: Asked): Promise<void> {
  const request = {
    ...{ table, policy: policyOf(options), limit: Number(options.limit) },
    ...(options.since === undefined ? {} : { since: options.since }),
  };
  const told = await call<PolicyPreview>(options, 'POST', '/v1/policies:preview', request);
  if (options.output === 'json') return printJson(told);
  say(`${told.looked} looked at${told.more ? ', the newest' : ''}: ${told.different} would end differently`);
  if (told.items.length > 0)
    printColumns(
      ['CONFLICT', 'KEY', 'PRESENT', 'WOULD BE'],
      told.items.map((i) => [i.id, JSON.stringify(i.key), endOf(i.present), endOf(i.other)]),
    );
  if (told.different > told.items.length) say(`and ${told.different - told.items.length} more`);
  for (const { count, detail } of told.reasons) say(`${count} could not be replayed: ${detail}`);
}

function policyOf({ policy, policyFile }: Asked): PolicyPreviewRequest['policy'] {
  if ((policy === undefined) === (policyFile === undefined))
    throw new Error('name the policy to try: --policy \'{"policy": "lww"}\', or --policy-file FILE');
  const text = policy ?? readFileSync(policyFile!, 'utf8');
  try {
    return JSON.parse(text) as PolicyPreviewRequest['policy'];
  } catch (error) {
    throw new Error(`the policy is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

const endOf = (values: PolicyPreview['items'][number]['present']): string =>
  values === null ? 'no row' : JSON.stringify(values);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
