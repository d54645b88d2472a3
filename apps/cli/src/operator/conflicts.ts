import { userInfo } from 'node:os';
import type { Conflict, Conflicts } from '@meridian/contract';
import type { Command } from 'commander';
import { exportConflicts } from './conflict-export.js';
import { operator, type Output } from './operator-command.js';
import { resolutionText, type Resolving } from './resolution.js';
import { resolveAll, type ResolvingAll } from './resolve-all.js';
import { call } from './rest.js';
import { printColumns, printJson } from './table-output.js';

type Filter = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;
const FILTERS = ['table', 'kind', 'region', 'status', 'since'] as const;

interface Acting extends Output {
  readonly actor: string;
  readonly ifMatch?: string;
}
interface Remarking extends Acting {
  readonly note?: string;
}

export function conflictCommands(program: Command): Command {
  const conflicts = program
    .command('conflicts')
    .description('what conflicted, how it was decided, and deciding it by hand');
  filtered(operator(conflicts, 'list', 'the newest first'))
    .option('--limit <n>', 'at most this many', '50')
    .action((options: Output & Filter & { readonly limit: string }) => list(options));
  operator(conflicts, 'show <id>', 'one of them, whole').action(async (id: string, options: Output) =>
    printJson(await call(options, 'GET', path(id))),
  );
  remarking(acting(conflicts, 'resolve <id>', 'decide it: one of --version, --value, --accept'))
    .option('--version <version>', 'one of its versions: its place, from 0, or origin/id')
    .option('--columns <names>', 'of that version, comma-separated; else the contested ones')
    .option('--value <json>', 'the columns as they are to be: \'{"qty": 5}\'; needs a --note')
    .option('--accept', 'the row stays as it is')
    .action((id: string, options: Remarking & Resolving) => act(id, 'resolve', options, resolutionText(options)));
  filtered(remarking(asSomebody(operator(conflicts, 'resolve-all', 'decide all that a filter names, oldest first'))))
    .option('--loser', 'what was overwritten goes back')
    .option('--winner', 'the rows stay as they are')
    .option('--origin <region>', "each conflict's version of this region")
    .option('--dry-run', 'say how many and which, and change nothing')
    .action((options: ResolvingAll & Filter) => resolveAll(options, filterOf(options)));
  remarking(
    acting(conflicts, 'undo <id>', 'write back what was overwritten; of a decided one, take the decision back'),
  ).action((id: string, options: Remarking) => act(id, 'undo', options, remarkOf(options)));
  remarking(acting(conflicts, 'reopen <id>', 'open a decided one again; the row stays')).action(
    (id: string, options: Remarking) => act(id, 'reopen', options, remarkOf(options)),
  );
  acting(conflicts, 'assign <id> [to]', 'say who looks after it; without a name: nobody').action(
    (id: string, to: string | undefined, options: Acting) => act(id, 'assign', options, { to: to ?? null }),
  );
  acting(conflicts, 'snooze <id> [until]', 'put it off (2027-01-31T08:00:00Z); without a time: not any more').action(
    (id: string, until: string | undefined, options: Acting) => act(id, 'snooze', options, { until: until ?? null }),
  );
  acting(conflicts, 'note <id> [text]', 'note something; without a text: nothing any more').action(
    (id: string, text: string | undefined, options: Acting) => act(id, 'note', options, { note: text ?? null }),
  );
  filtered(operator(conflicts, 'export', 'all of them to standard output, secret columns redacted'))
    .option('--format <format>', 'ndjson or csv', 'ndjson')
    .action((options: Output & Filter & { readonly format: string }) =>
      exportConflicts(options, new URLSearchParams({ ...filterOf(options), format: options.format })),
    );
  return conflicts;
}

const filtered = (command: Command): Command =>
  command
    .option('--table <table>')
    .option('--kind <kind>')
    .option('--region <region>', 'where the overwritten change was written')
    .option('--status <status>', 'open, resolved or withdrawn')
    .option('--since <time>', 'recorded at this time or later');

const asSomebody = (command: Command): Command => command.option('--actor <name>', 'who decides', accountName());

/** In a container the user may have a number and no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? ''}`.trim();
  }
}

const acting = (parent: Command, name: string, description: string): Command =>
  asSomebody(operator(parent, name, description)).option(
    '--if-match <version>',
    'only if it is still this version of it',
  );

const remarking = (command: Command): Command => command.option('--note <text>', 'why; kept with the decision');

const path = (id: string): string => `/v1/conflicts/${encodeURIComponent(id)}`;
const remarkOf = ({ note }: Remarking): object => (note === undefined ? {} : { note });
const filterOf = (options: Filter): Record<string, string> =>
  Object.fromEntries(FILTERS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])));

async function act(id: string, action: string, options: Acting, body: object | string): Promise<void> {
  const conflict = await call<Conflict>(options, 'POST', `${path(id)}/${action}`, body, {
    'meridian-actor': options.actor,
    ...(options.ifMatch === undefined ? {} : { 'if-match': `"${options.ifMatch}"` }),
  });
  if (options.output === 'json') return printJson(conflict);
  const { status, decision, assignee, snoozedUntil, version } = conflict;
  const written = decision?.written;
  process.stdout.write(`${conflict.table} ${JSON.stringify(conflict.key)} is ${status}\n`);
  if (written != null && action !== 'assign' && action !== 'snooze' && action !== 'note')
    process.stdout.write(`wrote ${JSON.stringify(written.after)} over ${JSON.stringify(written.before)}\n`);
  if (assignee !== null) process.stdout.write(`assigned to ${assignee}\n`);
  if (snoozedUntil !== null) process.stdout.write(`put off until ${snoozedUntil}\n`);
  process.stdout.write(`version ${version}\n`);
}

async function list(options: Output & Filter & { readonly limit: string }): Promise<void> {
  const query = new URLSearchParams({ ...filterOf(options), limit: options.limit });
  const answer = await call<Conflicts>(options, 'GET', `/v1/conflicts?${query.toString()}`);
  if (options.output === 'json') return printJson(answer);
  printColumns(
    ['ID', 'TABLE', 'KEY', 'KIND', 'STATUS', 'ASSIGNEE', 'REASON'],
    answer.items.map((c) => [c.id, c.table, JSON.stringify(c.key), c.kind, c.status, c.assignee ?? '', c.reason]),
  );
}
