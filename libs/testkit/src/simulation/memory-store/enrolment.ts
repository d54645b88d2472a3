import { type RowRef, rowId, type TableName, type TableSpec, type Values } from '@meridian/core';
import type { Agent } from '../scheduler.js';
import { NO_EXCESS } from './counter-range.js';
import type { MemoryDatabase } from './database.js';
import type { LockOwner } from './locks.js';

const tableLock = (table: TableName): string => `table ${table}`;

/** Ends a table's enrolment in one region, as DELETE /v1/tables does there: waits for the table's writers. */
export async function endEnrolment(db: MemoryDatabase, agent: Agent, table: TableName): Promise<void> {
  const owner = ownerOf(agent);
  await db.locks.acquire(owner, tableLock(table));
  await agent.step('end the enrolment');
  const { present, ended } = db.epochsOf(table);
  db.setEpochs(table, { present: null, ended: present ?? ended });
  db.locks.releaseAll(owner);
}

/**
 * Enrols a table anew in all regions with the rows of the first: its writers are held in every region at once, and each region
 * commits for itself. Calls back with the rows that are the common base from then on.
 */
export async function enrolAnew(
  databases: readonly MemoryDatabase[],
  agent: Agent,
  table: TableName,
  begun: (rows: ReadonlyMap<string, Values>) => void,
): Promise<void> {
  const owner = ownerOf(agent);
  for (const db of databases) {
    await db.locks.acquire(owner, tableLock(table));
    await agent.step('prepare an enrolment');
  }
  const ended = Math.max(...databases.map((db) => Math.max(db.epochsOf(table).present ?? 0, db.epochsOf(table).ended)));
  const donor = new Map([...databases[0]!.rows(table)].map(([key, { values }]) => [key, values]));
  begun(new Map([...donor].map(([key, values]) => [rowId({ table, key }), values])));
  for (const db of databases) {
    await agent.step('commit an enrolment');
    db.rows(table).clear();
    for (const [key, values] of donor)
      db.put(refOf(table, key), { values, excess: NO_EXCESS, incarnation: db.nextIncarnation() });
    db.setEpochs(table, { present: ended + 1, ended });
    db.locks.release(owner, tableLock(table));
  }
}

/** Changes a table's policy, as PUT /v1/tables does: its writers are held in every region at once, each region commits for itself. */
export async function changePolicy(databases: readonly MemoryDatabase[], agent: Agent, next: TableSpec): Promise<void> {
  const owner = ownerOf(agent);
  for (const db of databases) {
    await db.locks.acquire(owner, tableLock(next.name));
    await agent.step('prepare a policy');
  }
  for (const db of databases) {
    await agent.step('commit a policy');
    const { epoch, registers, delete: onDelete, earlier = [] } = db.spec(next.name);
    db.setPolicy({ ...next, epoch: epoch + 1, earlier: [{ epoch, registers, delete: onDelete }, ...earlier] });
    db.locks.release(owner, tableLock(next.name));
  }
}

/** What every writer of a table holds until its transaction ends. */
export const holdTable = (db: MemoryDatabase, owner: LockOwner, table: TableName): Promise<'held' | 'timeout'> =>
  db.locks.acquire(owner, tableLock(table), 'key share');

/** All of them: waits for those that are in it. */
export const excludeWriters = (db: MemoryDatabase, owner: LockOwner, table: TableName): Promise<'held' | 'timeout'> =>
  db.locks.acquire(owner, tableLock(table));

const refOf = (table: TableName, key: RowRef['key']): RowRef => ({ table, key });

const ownerOf = (agent: Agent): LockOwner => ({ agent, lockTimeout: Infinity });
