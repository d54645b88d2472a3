import { readFileSync } from 'node:fs';
import type { EnrolmentAnswer, TableRevisions } from '@meridian/contract';
import type { Command } from 'commander';
import { conflictCommands } from './conflicts.js';
import { doctor } from './doctor.js';
import { operator, type Output } from './operator-command.js';
import { previewCommand } from './policy-preview.js';
import { call } from './rest.js';
import { checkTable } from './table-check.js';
import { rowLogCommands } from './row-log.js';
import { printColumns, printJson } from './table-output.js';
import { webhookCommands } from './webhooks.js';

/** The operator's tools; all of them over REST, so they work from anywhere the service can be reached. */
export function operatorCommands(program: Command): void {
  operator(program, 'status', 'regions, health, lag').action((options: Output) => status(options));
  operator(program, 'doctor', 'what is wrong in a region, or with a table, and what mends it; status 1: something is')
    .option('--table <table>', 'one table, before or after it is enrolled, in all regions')
    .option('--policy <file>', 'with --table: as if it were enrolled under this policy')
    .action(async ({ table, ...options }: Output & { readonly table?: string; readonly policy?: string }) => {
      if (table === undefined && options.policy !== undefined) throw new Error('--policy says how to check a --table');
      process.exitCode = table === undefined ? await doctor(options) : await checkTable(table, options);
    });
  const tables = program.command('tables').description('enrolled tables');
  operator(tables, 'list', 'enrolled tables and their state').action((options: Output) => listTables(options));
  operator(tables, 'enrol <table> [policy-file]', 'enrol a table in all regions, or change its policy').action(
    (table: string, file: string | undefined, options: Output) => enrolTable(table, file, options),
  );
  operator(tables, 'remove <table>', 'end its replication; rows stay').action((table: string, options: Output) =>
    call(options, 'DELETE', pathOf(table)),
  );
  operator(tables, 'revisions <table>', 'the policies it has or had, newest first').action(
    async (table: string, options: Output) => revisions(table, options),
  );
  operator(tables, 'revert <table> <epoch>', 'put an earlier policy in force again, in all regions').action(
    async (table: string, epoch: string, options: Output) =>
      printJson(await call(options, 'POST', `${pathOf(table)}/revert`, { epoch: Number(epoch) })),
  );
  previewCommand(conflictCommands(program));
  rowLogCommands(program);
  webhookCommands(program);
}

interface RegionLine {
  readonly region: string;
  readonly health?: string;
  readonly seq?: number;
  readonly lag?: { readonly changes: number | null; readonly ms: number | null } | null;
  readonly clockOffsetMs?: number | null;
}

async function status(options: Output): Promise<void> {
  const answer = await call<{ items: readonly RegionLine[] }>(options, 'GET', '/v1/cluster');
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['REGION', 'HEALTH', 'SEQ', 'LAG (changes)', 'LAG (ms)', 'CLOCK OFFSET (ms)'],
    answer.items.map((r) =>
      [r.region, r.health, r.seq, r.lag?.changes, r.lag?.ms, r.clockOffsetMs].map((v) => String(v ?? '-')),
    ),
  );
}

async function listTables(options: Output): Promise<void> {
  const answer = await call<{ items: readonly { table: string; state: string; reason?: string | null }[] }>(
    options,
    'GET',
    '/v1/tables',
  );
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['TABLE', 'STATE', 'REASON'],
    answer.items.map((t) => [t.table, t.state, t.reason ?? '']),
  );
}

const pathOf = (table: string): string => `/v1/tables/${encodeURIComponent(table)}`;

async function revisions(table: string, options: Output): Promise<void> {
  const answer = await call<TableRevisions>(options, 'GET', `${pathOf(table)}/revisions`);
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['EPOCH', 'BEGAN', 'POLICY'],
    answer.items.map(({ epoch, beganAt, policy }) => [String(epoch), beganAt, JSON.stringify(policy)]),
  );
}

async function enrolTable(table: string, file: string | undefined, options: Output): Promise<void> {
  const policy: unknown = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
  const answer = await call<EnrolmentAnswer>(options, 'PUT', pathOf(table), policy);
  if (options.output === 'json') return printJson(answer);
  process.stdout.write(`${table} is enrolled in all regions\n`);
  for (const { region, sequence, next, increment, set } of answer.keySequences)
    process.stdout.write(`${region}: ${sequence} ${set ? 'now gives' : 'gives'} ${next}, and on by ${increment}\n`);
}
