import type { Session } from '../connection/session.js';

/** Ids per partition: some 100 MB of log, small enough to be dropped soon, few enough to plan over. */
export const PARTITION_IDS = 262_144;
/** Partitions that stand ready before the sequence reaches them: a million changes between two rounds of maintenance. */
const PARTITIONS_AHEAD = 4;
/** Attaching waits for those who write to the default partition; they wait behind it, so it gives up soon and comes again. */
const DDL_LOCK_TIMEOUT_MS = 100;
const LOCK_NOT_AVAILABLE = '55P03';

export interface Partition {
  readonly name: string;
  /** Ids from here … */
  readonly from: number;
  /** … to below here. */
  readonly to: number;
}

const nameOf = (index: number): string => `change_${index}`;
const partitionAt = (index: number): Partition => ({
  name: nameOf(index),
  from: index * PARTITION_IDS,
  to: (index + 1) * PARTITION_IDS,
});

export async function partitions(session: Session): Promise<readonly Partition[]> {
  const { rows } = await session.query(/* sql */ `
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'meridian.change'::regclass AND c.relname ~ '^change_[0-9]+$'`);
  return rows.map(([name]) => partitionAt(Number(name!.slice('change_'.length)))).sort((a, b) => a.from - b.from);
}

/**
 * Makes the log's partitions ahead of the sequence, and the default one, which takes what comes when they are late: no user's
 * write ever fails for want of a partition. A range of which the default partition has rows stays there, for no other can be
 * attached over it; dropBelow deletes them in their time. Resolves to how many were made.
 */
export async function ensurePartitions(session: Session): Promise<number> {
  await session.query('CREATE TABLE IF NOT EXISTS meridian.change_default PARTITION OF meridian.change DEFAULT');
  const { rows } = await session.query('SELECT last_value FROM meridian.change_id');
  const current = Math.floor(Number(rows[0]![0]) / PARTITION_IDS);
  const there = new Set((await partitions(session)).map((p) => p.name));
  let made = 0;
  for (let i = current; i <= current + PARTITIONS_AHEAD; i++) {
    const partition = partitionAt(i);
    if (!there.has(partition.name) && (await attach(session, partition))) made++;
  }
  return made;
}

/** Made aside and attached: CREATE … PARTITION OF would lock the log's parent, and with it every writer, exclusively. */
async function attach(session: Session, { name, from, to }: Partition): Promise<boolean> {
  const strays = `SELECT EXISTS (SELECT FROM meridian.change_default WHERE id >= ${from} AND id < ${to})`;
  if ((await session.query(strays)).rows[0]![0] === 't') return false;
  try {
    await session.script(/* sql */ `
      BEGIN;
      SET LOCAL lock_timeout = ${DDL_LOCK_TIMEOUT_MS};
      CREATE TABLE meridian.${name} (LIKE meridian.change INCLUDING ALL);
      ALTER TABLE meridian.change ATTACH PARTITION meridian.${name} FOR VALUES FROM (${from}) TO (${to});
      COMMIT`);
    return true;
  } catch (error) {
    await session.script('ROLLBACK');
    if (GIVE_WAY.has((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}

/** Somebody holds the lock; a row came into the default partition in between; another instance made it. */
const GIVE_WAY: ReadonlySet<string> = new Set([LOCK_NOT_AVAILABLE, '23514', '42P07', '40P01']);

export { DDL_LOCK_TIMEOUT_MS, LOCK_NOT_AVAILABLE };
