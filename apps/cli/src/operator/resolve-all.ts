import type { BulkAnswer } from '@meridian/contract';
import type { Output } from './operator-command.js';
import { call } from './rest.js';
import { printColumns, printJson } from './table-output.js';

export interface ResolvingAll extends Output {
  readonly actor: string;
  readonly loser?: boolean;
  readonly winner?: boolean;
  readonly origin?: string;
  readonly note?: string;
  readonly dryRun?: boolean;
}

/** Call after call, until the filter names no more. Status 1: some were refused. */
export async function resolveAll(options: ResolvingAll, filter: Record<string, string>): Promise<void> {
  const strategy = strategyOf(options);
  const { note, dryRun = false } = options;
  const ask = (cursor?: string): Promise<BulkAnswer> =>
    call(
      options,
      'POST',
      '/v1/conflicts:resolve',
      { filter, strategy, dryRun, note, cursor },
      { 'meridian-actor': options.actor },
    );
  const first = await ask();
  if (dryRun) return tellTried(first, options);
  const answers = [first];
  for (let next = first.next; next !== null; next = answers.at(-1)!.next) answers.push(await ask(next));
  const resolved = answers.reduce((sum, a) => sum + a.resolved, 0);
  const refused = answers.flatMap((a) => a.refused);
  if (refused.length > 0) process.exitCode = 1;
  if (options.output === 'json') return printJson({ resolved, refused });
  process.stdout.write(`${resolved} resolved, ${refused.length} refused\n`);
  for (const { id, table, key, detail } of refused)
    process.stdout.write(`${id} ${table} ${JSON.stringify(key)}: ${detail}\n`);
}

function strategyOf({ loser, winner, origin }: ResolvingAll): string | { readonly origin: string } {
  const chosen = [
    ...(loser === true ? ['loser'] : []),
    ...(winner === true ? ['winner'] : []),
    ...(origin === undefined ? [] : [{ origin }]),
  ];
  if (chosen.length !== 1) throw new Error('say how: with one of --loser, --winner and --origin');
  return chosen[0]!;
}

function tellTried(answer: BulkAnswer, { output }: Output): void {
  if (output === 'json') return printJson(answer);
  process.stdout.write(`${answer.matched} would be resolved${answer.next === null ? '' : ', these first'}\n`);
  printColumns(
    ['ID', 'TABLE', 'KEY', 'KIND'],
    answer.items.map((i) => [i.id, i.table, JSON.stringify(i.key), i.kind]),
  );
}
