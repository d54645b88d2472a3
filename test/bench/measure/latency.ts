import type { Client } from 'pg';
import { quantile } from './spread.js';

/**
 * From commit in one region to visible in the other, of every single row, without a client's clock in between:
 *
 * - start: the commit's own time at the origin, pg_xact_commit_timestamp(xmin), taken just before its WAL is flushed, so
 *   the origin's flush is part of the figure;
 * - end: bench_watch() in the other region takes a snapshot every 0.3 ms inside the server and keeps those that differ
 *   from the one before, with their time. A row became visible with the first snapshot that shows the transaction that
 *   wrote it there (its xmin), which is what a reader would have seen.
 *
 * Both servers read one machine's clock. The error is the watcher's step, below 0.3 ms and always to the figure's
 * disadvantage; it is the same for every candidate, touches no row and takes no lock.
 */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly rows: number;
}

interface Seen {
  readonly at: number;
  readonly end: bigint;
  readonly running: ReadonlySet<bigint>;
}

export interface Arrival {
  readonly id: string;
  readonly xid: bigint;
  readonly committed: number;
}

export async function watch(db: Client, seconds: number): Promise<readonly Seen[]> {
  const { rows } = await db.query<{ at: number; snapshot: string }>('select at, snapshot from bench_watch($1)', [
    seconds,
  ]);
  return rows.map(({ at, snapshot }) => {
    const [, end = '0', running = ''] = snapshot.split(':');
    return { at, end: BigInt(end), running: new Set(running.split(',').filter(Boolean).map(BigInt)) };
  });
}

export async function commits(db: Client): Promise<readonly Arrival[]> {
  const { rows } = await db.query<{ id: string; xid: string; committed: number }>(
    'select id, xmin::text as xid, (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float as committed from stream',
  );
  return rows.map(({ id, xid, committed }) => ({ id, xid: BigInt(xid), committed }));
}

export function latency(origin: readonly Arrival[], there: readonly Arrival[], seen: readonly Seen[]): Latency {
  // What the warm-up wrote was there before anybody watched.
  const begun = seen[0]?.at ?? Infinity;
  const visible = visibleAt(there, seen);
  const committed = new Map(origin.map((arrival) => [arrival.id, arrival.committed]));
  const waits = there
    .flatMap(({ id, xid }) => {
      const [from, to] = [committed.get(id), visible.get(xid)];
      return from === undefined || to === undefined || from < begun ? [] : [to - from];
    })
    .sort((a, b) => a - b);
  return { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95), p99: quantile(waits, 0.99), rows: waits.length };
}

/** The time of the first snapshot that shows each transaction. Snapshots grow, so transactions are taken up in order. */
function visibleAt(arrivals: readonly Arrival[], seen: readonly Seen[]): ReadonlyMap<bigint, number> {
  const commitTime = new Map(arrivals.map(({ xid, committed }) => [xid, committed]));
  const waiting = [...commitTime.keys()].sort((a, b) => (a < b ? -1 : 1));
  const pending = new Set<bigint>();
  const result = new Map<bigint, number>();
  let next = 0;
  for (const { at, end, running } of seen) {
    while (next < waiting.length && waiting[next]! < end) pending.add(waiting[next++]!);
    for (const xid of pending) {
      // A subtransaction is not listed as running, but no transaction is visible before its own commit time.
      if (running.has(xid) || at < commitTime.get(xid)!) continue;
      result.set(xid, at);
      pending.delete(xid);
    }
  }
  return result;
}
