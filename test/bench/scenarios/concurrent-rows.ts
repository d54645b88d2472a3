import type { Leg } from '../candidates/candidate.js';
import { allCaughtUp } from '../candidates/regions.js';
import { settledDifference } from '../measure/equality.js';
import type { Table } from '../schema.js';
import { type Outcome, REPLICATING, type Scenario } from './scenario.js';

/** Each region runs its statement while neither can reach the other. */
async function concurrently(leg: Leg, table: Table, statements: readonly [string, string]): Promise<Outcome> {
  await leg.cut();
  await Promise.all(leg.regions.map(({ db }, i) => db.query(statements[i]!)));
  await leg.heal();
  const goesOn = await allCaughtUp(leg.regions, 15_000);
  return {
    goesOn: Number(goesOn),
    different: await settledDifference(leg.regions, table, 3_000),
    conflicts: await leg.conflicts(),
  };
}

const scenario = (id: number, name: string, table: Table, run: Scenario['run']): Scenario => ({
  id,
  name,
  candidates: REPLICATING,
  once: true,
  setting: { regions: 2, tables: [table], cuttable: true },
  run,
});

export const concurrentRows = [
  scenario(9, 'different columns of one row', 'wide', async (leg) => {
    const outcome = await concurrently(leg, 'wide', [
      `update wide set a = 'us' where id = 1`,
      `update wide set b = 'eu' where id = 1`,
    ]);
    const kept = await Promise.all(
      leg.regions.map(async ({ db }) => (await db.query(`select from wide where a = 'us' and b = 'eu'`)).rows.length),
    );
    return { ...outcome, kept: Math.min(...kept) };
  }),
  scenario(10, 'same unique value', 'uniq', (leg) =>
    concurrently(leg, 'uniq', [
      `insert into uniq values ('us', 'x@example.org')`,
      `insert into uniq values ('eu', 'x@example.org')`,
    ]),
  ),
  scenario(10, 'same primary key', 'uniq', (leg) =>
    concurrently(leg, 'uniq', [
      `insert into uniq values ('same', 'us@example.org')`,
      `insert into uniq values ('same', 'eu@example.org')`,
    ]),
  ),
];
