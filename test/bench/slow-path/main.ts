import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Tick } from '@meridian/core';
import { createAppDatabase, EmbeddedPostgres } from '@meridian/embedded-postgres';
import { spread } from '../measure/spread.js';
import { BenchRegion, type Took } from './bench-region.js';
import { type Family, families } from './families.js';

/*
 * The rate at which apply decides a tick all of whose rows conflict, against that of a tick nobody contends:
 * `node infra/bootstrap/run.mjs bench-slow-path`. Two regions in this process, on one server; ticks are made first, and only
 * their application is timed. Slow and fast alternate in one run, and a ratio is of one round.
 */
const USAGE = `bench-slow-path [options]
  --rows N       rows of a tick (default 2000)
  --rounds N     measured, after a third of them to warm up (default 9)
  --only 'a;b'   families by name
  --port N       of the server (default: a free one)`;

interface Options {
  readonly rows: number;
  readonly rounds: number;
  readonly only: readonly string[];
  readonly port: number | undefined;
}

interface Round {
  /** A tick that nobody contends, in the region whose writes lose below and in the other one. */
  readonly fast: readonly [Took, Took];
  /** A tick all of whose rows conflict, in the region whose writes lose. */
  readonly losing: Took;
  /** … and in the one whose writes win. */
  readonly winning: Took;
  /** The records, where they are replicated to; null: there are none, or they came with the writes. */
  readonly records: Took | null;
}

async function bench(options: Options): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'meridian-slow-path-'));
  // PostgreSQL, which does not run as root, has its data below it.
  chmodSync(dir, 0o755);
  const { port } = options;
  const settings = { max_wal_size: '4GB' };
  const dataDir = join(dir, 'pg');
  const server = await EmbeddedPostgres.start({
    dataDir,
    settings,
    ...(port === undefined ? {} : { port }),
  });
  const regions: BenchRegion[] = [];
  try {
    await createAppDatabase(server);
    const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
    for (const name of ['us', 'eu']) regions.push(await BenchRegion.open(server, pid, name));
    const [us, eu] = regions as [BenchRegion, BenchRegion];
    const chosen = families.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
    for (const [i, family] of chosen.entries()) print(family, options, await measure(family, `t${i}`, us, eu, options));
  } finally {
    await Promise.all(regions.map((region) => region.close()));
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(
  family: Family,
  table: string,
  us: BenchRegion,
  eu: BenchRegion,
  { rows, rounds }: Options,
): Promise<Round[]> {
  for (const region of [us, eu]) {
    await region.user.query(
      `CREATE TABLE ${table} (id int PRIMARY KEY, v ${family.column}, note text NOT NULL DEFAULT repeat('n', 100))`,
    );
    await region.enrol(table, family.policy);
  }
  const write = (region: BenchRegion, round: number) =>
    region.user.query(`UPDATE ${table} SET v = ${family.value(region.name, round)}`);
  await us.user.query(`INSERT INTO ${table} (id) SELECT generate_series(1, ${rows})`);
  await eu.apply(await tickOf(us));
  const measured: Round[] = [];
  const warmUp = Math.ceil(rounds / 3);
  for (let i = 0; i < warmUp + rounds; i++) {
    const round = await oneRound(family, write, us, eu, 4 * i + 1);
    if (i >= warmUp) measured.push(round);
  }
  return measured;
}

async function oneRound(
  family: Family,
  write: (region: BenchRegion, round: number) => Promise<unknown>,
  us: BenchRegion,
  eu: BenchRegion,
  number: number,
): Promise<Round> {
  await write(us, number);
  const fastInEu = await eu.apply(await tickOf(us));
  await write(eu, number + 1);
  const fastInUs = await us.apply(await tickOf(eu));
  // eu's first: by stamp, and by value, it is what is overwritten.
  await write(eu, number + 2);
  const before = family.raced ? null : await tickOf(eu);
  await write(us, number + 3);
  const losing = await eu.apply(await tickOf(us));
  const winning = await us.apply(before ?? (await tickOf(eu)));
  const told = await eu.cut();
  const records = told === null ? null : await us.apply(told);
  for (let tick = await us.cut(); tick !== null; tick = await us.cut()) await eu.apply(tick);
  return { fast: [fastInEu, fastInUs], losing, winning, records };
}

async function tickOf(region: BenchRegion): Promise<Tick> {
  const tick = await region.cut();
  if (tick === null) throw new Error(`${region.name} has nothing to ship`);
  return tick;
}

function print(family: Family, { rows }: Options, rounds: readonly Round[]): void {
  const rate = (of: readonly Took[]): string =>
    `${Math.round((rows * 1000) / median(of.map(({ ms }) => ms))).toLocaleString('en-GB')}/s`;
  const against = (fast: 0 | 1, of: (round: Round) => Took): string => {
    const ratio = (measure: (took: Took) => number): string =>
      median(rounds.map((round) => measure(round.fast[fast]) / measure(of(round)))).toFixed(2);
    return `${ratio(({ ms }) => ms)} (of CPU ${ratio(({ cpuMs }) => cpuMs)}), ${rate(rounds.map(of))}`;
  };
  const records = rounds.flatMap((round) => round.records ?? []);
  const told = [
    `${family.name}: fast ${rate(rounds.map(({ fast }) => fast[0]))}`,
    `where the overwritten writes are ${against(0, (round) => round.losing)}`,
    `in the other region ${against(1, (round) => round.winning)}`,
    ...(records.length === 0 ? [] : [`their records there ${rate(records)}`]),
  ];
  console.log(`${told.join('; ')} (load ${loadavg()[0]!.toFixed(1)})`);
}

const median = (values: readonly number[]): number => spread(values)!.median;

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '9' },
      only: { type: 'string', default: '' },
      port: { type: 'string' },
    },
  });
  const whole = (option: string, text: string): number => {
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} takes a whole number from 1 on, not "${text}"`);
    return Number(text);
  };
  const names = values.only.split(';').filter(Boolean);
  const unknown = names.find((name) => !families.some((family) => family.name === name));
  if (unknown !== undefined)
    throw new Error(`unknown family "${unknown}"; there are ${families.map((f) => f.name).join('; ')}`);
  const port = values.port === undefined ? undefined : whole('port', values.port);
  return { rows: whole('rows', values.rows), rounds: whole('rounds', values.rounds), only: names, port };
}

// The server is stopped on 'exit', which a signal alone does not bring about.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
try {
  const options = readOptions(process.argv.slice(2));
  void bench(options).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
