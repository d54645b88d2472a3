import type { RowExplanation, RowHistory } from '@meridian/contract';
import type { Command } from 'commander';
import { operator, type Output } from './operator-command.js';
import { call } from './rest.js';
import { printColumns, printJson } from './table-output.js';

/** `meridian history`, `meridian explain`: what became of one row, and why. */
export function rowLogCommands(program: Command): void {
  operator(program, 'history <table> <key>', 'every version of a row that the log still has, newest first')
    .option('--limit <n>', 'at most this many', '50')
    .option('--cursor <cursor>', 'go on where the last page ended')
    .action((table: string, key: string, options: Output & Page) => history(table, key, options));
  operator(program, 'explain <table> <key>', 'where each value of a row comes from, what it beat and why').action(
    (table: string, key: string, options: Output) => explain(table, key, options),
  );
}

interface Page {
  readonly limit: string;
  readonly cursor?: string;
}

const pathOf = (table: string, key: string): string =>
  `/v1/data/${encodeURIComponent(table)}/${encodeURIComponent(key)}`;

async function history(table: string, key: string, options: Output & Page): Promise<void> {
  const query = new URLSearchParams({
    limit: options.limit,
    ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
  });
  const answer = await call<RowHistory>(options, 'GET', `${pathOf(table, key)}/history?${query.toString()}`);
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['ORIGIN', 'ID', 'TICK', 'WHEN', 'OP', 'ACTOR', 'WITH', 'WROTE', 'BESIDE'],
    answer.items.map((v) => [
      ...[v.origin, String(v.id), tickOf(v), v.wall, v.op, v.actor, v.application ?? ''],
      ...[JSON.stringify(v.values), besideOf(v)],
    ]),
  );
  if (answer.forgotten !== null) say(answer.forgotten);
  if (answer.next !== null) say(`more with --cursor ${answer.next}`);
}

type Version = RowHistory['items'][number];

const tickOf = ({ seq, traced, waiting }: Version): string =>
  waiting ? 'waits' : seq !== null ? String(seq) : traced ? 'none yet' : 'forgotten';

function besideOf({ concurrentWith, concurrentTotal }: Version): string {
  const named = concurrentWith.map((c) => `${c.origin} ${c.id}`).join(', ');
  return concurrentTotal > concurrentWith.length ? `${named} and others: ${concurrentTotal}` : named;
}

async function explain(table: string, key: string, options: Output): Promise<void> {
  const told = await call<RowExplanation>(options, 'GET', `${pathOf(table, key)}/explain`);
  if (options.output === 'json') return printJson(told);
  say(told.exists ? `it is there: ${told.existence.reason}` : absenceOf(told));
  if (told.waiting > 0) say(`${told.waiting} changes of it wait until the table here can take them`);
  if (told.columns.length > 0)
    printColumns(
      ['COLUMN', 'VALUE', 'FROM', 'WHY'],
      told.columns.map((c) => [c.column, c.value ?? 'NULL', sourceOf(c.change), c.reason]),
    );
  for (const { id, kind, reason } of told.conflicts) say(`conflict ${id} (${kind}): ${reason}`);
}

const absenceOf = ({ parked, existence }: RowExplanation): string =>
  parked === null ? `it is not there: ${existence.reason}` : parked.reason;

const sourceOf = (change: RowExplanation['existence']['change']): string =>
  change === null ? '-' : `${change.origin} ${change.id}, ${change.wall}, ${byWhom(change)}`;

const byWhom = ({
  actor,
  application,
}: {
  readonly actor: string;
  readonly application?: string | null | undefined;
}): string => (application == null || application === '' ? actor : `${actor} with ${application}`);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
