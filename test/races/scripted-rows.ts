import type { RealRegion } from './real-region.js';
import type { RealRegions } from './real-regions.js';

/*
 * The scenarios' language (libs/testkit/src/scenario/scenario.ts) on real regions. Every script has a row of its own, and
 * scripts that exchange at the same places run side by side, so that hundreds of rows share ticks and batches.
 */
const TABLES = ['update_wins', 'delete_wins', 'by_stamp', 'lww'] as const;

/** Far ahead of every clock, so that stamps are what the script says: the number of the line. */
const EPOCH_MS = Date.UTC(2100, 0, 1);

export interface Script {
  readonly row: number;
  readonly table: (typeof TABLES)[number];
  /** Commands with the numbers of their lines. */
  readonly lines: readonly { readonly time: number; readonly words: readonly string[] }[];
}

export function parseScript(text: string, row: number): Script {
  const all = text.split('\n').map((line, i) => ({ time: i + 1, words: line.replace(/#.*/, '').trim().split(/\s+/) }));
  const policy = all.find(({ words }) => words[0] === 'policy')?.words.slice(1) ?? [];
  const name = (policy.find((word) => word !== 'hlc') ?? 'update-wins').replace('-', '_');
  const lines = all.filter(({ words }) => words[0] !== '' && words[0] !== 'policy');
  return { row, table: TABLES.find((t) => t === name)!, lines };
}

export async function enrolScripted(regions: RealRegions): Promise<void> {
  for (const table of TABLES) {
    const [rows, touching] = [`rows_${table}`, `touching_${table}`];
    const ddl = `
      CREATE TABLE ${rows} (id int PRIMARY KEY, x text DEFAULT '-', y text DEFAULT '-', a text DEFAULT '-', b text DEFAULT '-',
                            n int NOT NULL DEFAULT 0);
      CREATE TABLE ${touching} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), row int REFERENCES ${rows})`;
    const deletes = table === 'lww' ? 'update-wins' : table.replace('_', '-');
    const policy = { groups: [['a', 'b']], delete: deletes, columns: { n: 'counter' } };
    await regions.enrol(ddl, [rows], { ...policy, policy: table === 'lww' ? 'lww' : 'hlc' });
    await regions.enrol('SELECT', [touching]);
  }
}

/** All scripts up to where they exchange, then the exchange, and so on. Resolves to each script's outcome as runScenario tells it. */
export async function runScripts(regions: RealRegions, scripts: readonly Script[]): Promise<string[]> {
  const places = scripts.map(() => 0);
  for (;;) {
    for (const [i, script] of scripts.entries()) {
      const end = script.lines.findIndex(({ words }, at) => at >= places[i]! && isExchange(words));
      const writes = script.lines.slice(places[i], end === -1 ? undefined : end);
      for (const line of writes) await write(regions, script, line);
      places[i] = places[i]! + writes.length;
    }
    const next = new Set(scripts.map(({ lines }, i) => lines[places[i]!]?.words.join(' ')));
    if (next.size > 1)
      throw new Error(`scripts that run side by side exchange at the same places, not ${[...next].join(', ')}`);
    const [command] = next;
    if (command === undefined) break;
    await exchange(regions, command.split(' '));
    for (const i of places.keys()) places[i] = places[i]! + 1;
  }
  // The records, which are shipped like rows, on their way too.
  await regions.exchange();
  const outcomes: string[] = [];
  for (const script of scripts) outcomes.push(await outcomeOf(regions, script));
  return outcomes;
}

const isExchange = (words: readonly string[]): boolean => words[0] === 'all' || words[1] === '->';

async function exchange(regions: RealRegions, [from, , to]: readonly string[]): Promise<void> {
  if (from === 'all') return regions.exchange();
  await regions.named(from!).cut();
  await regions.named(to!).takeFrom(regions.named(from!));
}

async function write(regions: RealRegions, script: Script, { time, words }: Script['lines'][number]): Promise<void> {
  const [name, verb, ...rest] = words as [string, string, ...string[]];
  const { user } = regions.named(name);
  const stamp = (BigInt(EPOCH_MS + time) << 16n) - 1n;
  const sql = statement(
    script,
    verb,
    rest.map((r) => r.split('=')),
  );
  await user.query(`SELECT setval('meridian.stamp', ${stamp}); ${sql}`).catch((error: Error) => {
    throw new Error(`line ${time}, ${words.join(' ')}: ${error.message}\n${shown(script)}`);
  });
}

function statement({ table, row }: Script, verb: string, patch: readonly string[][]): string {
  const rows = `rows_${table}`;
  switch (verb) {
    case 'insert':
      return `INSERT INTO ${rows} (${['id', ...patch.map(([c]) => c)].join()}) VALUES (${[row, ...patch.map(([, v]) => `'${v}'`)].join()})`;
    case 'delete':
      return `DELETE FROM ${rows} WHERE id = ${row}`;
    case 'touch':
      return `INSERT INTO touching_${table} (row) VALUES (${row})`;
    default:
      return `UPDATE ${rows} SET ${patch.map(([c, v]) => (c === 'n' ? `n = n + ${v}` : `${c} = '${v}'`)).join()} WHERE id = ${row}`;
  }
}

async function outcomeOf(regions: RealRegions, { table, row }: Script): Promise<string> {
  const held = new Map<string, string[]>();
  for (const region of regions.all) {
    const text = await rowOf(region, table, row);
    held.set(text, [...(held.get(text) ?? []), region.name]);
  }
  const told = [...held].map(
    ([text, names]) => `${names.length === regions.all.length ? 'all' : names.join(', ')}: ${text}`,
  );
  const records = `SELECT region || ' records ' || kind || ', ' || status || ': ' || reason FROM meridian.conflict WHERE rel = $1 AND pk = $2`;
  return [...told, ...(await regions.all[0]!.read(records, [`public.rows_${table}`, `["${row}"]`]))].join('\n');
}

async function rowOf(region: RealRegion, table: string, row: number): Promise<string> {
  const columns = `'a=' || a, 'b=' || b, 'n=' || n, 'x=' || x, 'y=' || y`;
  const [text] = await region.read(`SELECT ${columns} FROM rows_${table} WHERE id = $1`, [row]);
  return (
    text
      ?.split(' | ')
      .filter((part) => !part.endsWith('=-'))
      .join(' ') ?? 'no row'
  );
}

const shown = ({ table, lines }: Script): string =>
  [table, ...lines.map(({ time, words }) => `${time} ${words.join(' ')}`)].join('\n');
