import { waitUntil } from '../measure/wait.js';
import { pgbench } from '../measure/pgbench.js';
import { REPLICATING, type Scenario } from './scenario.js';

const catchUpOf = (name: string, script: string, clients: number, transactions: number, rows: number): Scenario => ({
  id: 5,
  name: `catch-up of ${name}`,
  candidates: REPLICATING,
  once: false,
  setting: { regions: 2, tables: ['stream'] },
  run: async (leg, { scale }) => {
    const [origin, behind] = leg.regions;
    await leg.stopReceiving(1);
    const each = Math.max(1, Math.round(transactions * scale));
    await pgbench(origin!, { script, clients, transactions: each, asynchronousCommit: true });
    const { rows: marks } = await origin!.db.query<{ n: string }>(
      'update marker set n = n + 1 where id = $1 returning n',
      [origin!.name],
    );
    const began = await leg.startReceiving(1);
    const mark = [origin!.name, marks[0]!.n];
    const shows = async () =>
      (await behind!.db.query('select from marker where id = $1 and n = $2', mark)).rows.length === 1;
    const complete = await waitUntil(shows, 60_000, 5);
    return { rate: complete ? (clients * each * rows * 1000) / (Date.now() - began) : 0 };
  },
});

/** How fast a region that was away takes in what it missed. */
export const catchUp = [
  catchUpOf('one-row transactions', 'insert-one.sql', 8, 5_000, 1),
  catchUpOf('2,000-row transactions', 'insert-2000.sql', 4, 8, 2_000),
];
