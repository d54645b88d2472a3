import type { RegionId } from '@meridian/core';
import { Client } from 'pg';
import type { Place } from '../enrolment/targets.js';
import { BEGIN } from '../enrolment/transaction.js';
import type { TableRef } from '../catalog/read-table.js';
import { refusalOf } from '../rows/refusal-of-sqlstate.js';
import { readServerState, serverRefusals } from '../setup/server-checks.js';
import { logFindings, parkedFindings } from './backlog.js';
import { finding, type ExaminedTable, type Finding } from './finding.js';
import { roleFindings } from './roles.js';
import { serverFindings } from './server.js';
import { sessionFindings } from './sessions.js';
import { checkTableHere, shapeHere, type TableCheck } from './table-check.js';
import type { TableShape } from './table/table-shape.js';
import { examineTables } from './tables.js';
import { agingFindings } from './transaction-ids.js';
import { standbyFindings } from './standbys.js';

export interface DoctorOptions extends Place {
  /** The owner's, as in postgres.url. */
  readonly url: string;
  readonly peers: readonly RegionId[];
  /** What was found at the start. */
  readonly replicaRole: boolean;
  /** From when on a transaction that does nothing is worth telling. */
  readonly longTransactionMs?: number;
  /** From when on a member that has not told of a tick is worth telling. */
  readonly heldBackMs?: number;
  /** From how much on the WAL that a slot or a standby holds back is worth telling. */
  readonly retainedBytes?: number;
  /** From which age on transaction ids of the log's and enrolled tables are worth telling. */
  readonly oldXidAge?: number;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly tables: readonly ExaminedTable[];
}

const LONG_TRANSACTION_MS = 60_000;
const HELD_BACK_MS = 600_000;
const RETAINED_BYTES = 1_000_000_000;
/** Autovacuum begins at 200 million; servers stop at 2,000 million. */
const OLD_XID_AGE = 1_000_000_000;

const LOOK = `${BEGIN}; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'`;

/** What is wrong in this region's database, and what mends it. Looks, and changes nothing: its transaction is rolled back. */
export class Doctor {
  constructor(private readonly options: DoctorOptions) {}

  /** A database that cannot be asked is the finding. */
  async examine(): Promise<Examination> {
    const client = new Client({ connectionString: this.options.url, application_name: 'meridian doctor' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await this.#examine(client);
    } catch (error) {
      if (!('code' in (error as Error))) throw error;
      const cure = 'look at the server, its log, and postgres.url';
      const { message } = error as Error;
      return { findings: [finding('error', 'database_unavailable', 'server', message, cure)], tables: [] };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** `policy`: as if it were enrolled under it. Null: there is no such table here. */
  async checkTable(ref: TableRef, policy?: unknown): Promise<TableCheck | null> {
    const { replicaRole } = this.options;
    return this.#looking((client) => checkTableHere(client, ref, this.options, replicaRole, this.#regions(), policy));
  }

  /** As other regions compare theirs with it. */
  async shapeOf(ref: TableRef): Promise<TableShape | null> {
    return this.#looking((client) => shapeHere(client, ref));
  }

  #regions(): readonly RegionId[] {
    return [this.options.region, ...this.options.peers];
  }

  async #looking<T>(look: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.options.url, application_name: 'meridian doctor' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(LOOK);
      return await look(client);
    } catch (error) {
      throw refusalOf(error);
    } finally {
      // Ending the session rolls back.
      await client.end().catch(() => undefined);
    }
  }

  async #examine(client: Client): Promise<Examination> {
    const { peers, applyRole, replicaRole, longTransactionMs, heldBackMs, retainedBytes, oldXidAge } = this.options;
    const refusals = serverRefusals(await readServerState(client));
    // A server that may not be written to is asked for nothing more: half of what follows tries what it may not.
    if (refusals.length > 0)
      return { findings: refusals.map((r) => finding('error', r.code, 'server', r.message)), tables: [] };
    await client.query(LOOK);
    const { tables, findings } = await examineTables(client, this.options, replicaRole, this.#regions());
    const all = [
      ...(await serverFindings(client)),
      ...(await sessionFindings(client, applyRole, longTransactionMs ?? LONG_TRANSACTION_MS)),
      ...(await roleFindings(client, applyRole, replicaRole)),
      ...findings,
      ...(await parkedFindings(client)),
      ...(await logFindings(client, peers, heldBackMs ?? HELD_BACK_MS)),
      ...(await agingFindings(client, oldXidAge ?? OLD_XID_AGE)),
      ...(await standbyFindings(client, retainedBytes ?? RETAINED_BYTES)),
    ];
    await client.query('ROLLBACK');
    return { findings: all, tables };
  }
}
