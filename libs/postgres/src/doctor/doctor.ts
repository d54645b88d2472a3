import type { RegionId } from '@meridian/core';
import { Client } from 'pg';
import type { Place } from '../enrolment/targets.js';
import { BEGIN } from '../enrolment/transaction.js';
import { readServerState, serverRefusals } from '../setup/server-checks.js';
import { logFindings, parkedFindings } from './backlog.js';
import { finding, type ExaminedTable, type Finding } from './finding.js';
import { roleFindings } from './roles.js';
import { serverFindings } from './server.js';
import { sessionFindings } from './sessions.js';
import { examineTables } from './tables.js';

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
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly tables: readonly ExaminedTable[];
}

const LONG_TRANSACTION_MS = 60_000;
const HELD_BACK_MS = 600_000;

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

  async #examine(client: Client): Promise<Examination> {
    const { peers, applyRole, replicaRole, longTransactionMs, heldBackMs } = this.options;
    const refusals = serverRefusals(await readServerState(client));
    // A server that may not be written to is asked for nothing more: half of what follows tries what it may not.
    if (refusals.length > 0)
      return { findings: refusals.map((r) => finding('error', r.code, 'server', r.message)), tables: [] };
    await client.query(`${BEGIN}; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'`);
    const { tables, findings } = await examineTables(client, this.options, replicaRole);
    const all = [
      ...(await serverFindings(client)),
      ...(await sessionFindings(client, applyRole, longTransactionMs ?? LONG_TRANSACTION_MS)),
      ...(await roleFindings(client, applyRole, replicaRole)),
      ...findings,
      ...(await parkedFindings(client)),
      ...(await logFindings(client, peers, heldBackMs ?? HELD_BACK_MS)),
    ];
    await client.query('ROLLBACK');
    return { findings: all, tables };
  }
}
