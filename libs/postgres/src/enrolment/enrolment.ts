import { parseTableName, type TableName } from '@meridian/core';
import { Client } from 'pg';
import { parsePolicyDocument, policyJson } from '../catalog/policy-document.js';
import { readTable, readTableNamed, type TableRef } from '../catalog/read-table.js';
import { EnrolmentRefused, problem } from '../catalog/refusal.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import { hasDrifted } from '../capture/drift.js';
import { dropCapture, installCapture, replaceFunctions } from '../capture/install.js';
import { digestOf, PIN_OUTPUT } from './digest.js';
import { grantTable, revokeTable, roleProblems } from './grants.js';
import { HELD_MS, PreparedEnrolment } from './prepared-enrolment.js';
import {
  type EnrolledTable,
  beginEnrolment,
  endEnrolment,
  type Epochs,
  epochsOf,
  readEnrolled,
  readEpochs,
  storedSpec,
  storeEnrolled,
} from './stored-table.js';
import { type Place, presentTarget, type Resolution, targetOf } from './targets.js';
import { BEGIN, inTransaction } from './transaction.js';

export interface EnrolmentOptions extends Place {
  /** The owner's, as in postgres.url. */
  readonly url: string;
  readonly replicaRole: boolean;
  readonly heldMs?: number;
}

/** What the regions have agreed on for an enrolment: the epoch it has, and the last one that has ended with it. */
export interface GivenEpochs {
  readonly epoch: number;
  readonly ended: number;
}

export interface TableStanding extends Epochs {
  readonly name: TableName;
  /** It is enrolled with the policy that was asked for. */
  readonly samePolicy: boolean;
}

/** Two calls at once: the other was first in this region. */
const ENROLLED_MEANWHILE = problem(
  'enrolled_meanwhile',
  'another call enrolled or un-enrolled the table meanwhile',
  'look at it, then enrol again',
);

/** How long an enrolment waits for the table's writers before it gives up. */
const LOCK_TIMEOUT = '10s';

/** Which tables of this database replicate, and how; one region's part of it. Other regions' parts are their own. */
export class Enrolment {
  constructor(private readonly options: EnrolmentOptions) {}

  /**
   * Validates, installs capture and digests the rows, all in a transaction that stays open; see {@link PreparedEnrolment}.
   * `epochs`: the same in every region; left out, as if this were the only one. Where fewer have ended, the table is enrolled
   * anew, whether it was enrolled or not: for the other regions what came before is past.
   */
  async prepare(ref: TableRef, document: unknown, epochs?: GivenEpochs): Promise<PreparedEnrolment> {
    const client = await this.#connect();
    try {
      return await this.#prepare(client, ref, document, epochs);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  async #prepare(client: Client, ref: TableRef, input: unknown, given?: GivenEpochs): Promise<PreparedEnrolment> {
    const heldMs = this.options.heldMs ?? HELD_MS;
    // The server's own limit is for a service that hangs; the service's, for a coordinator that died.
    await client.query(
      `${BEGIN}; ${PIN_OUTPUT}; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; SET LOCAL idle_in_transaction_session_timeout = ${heldMs + 15_000}`,
    );
    const { target, document, known, ended } = await this.#resolve(client, ref, input, given);
    const spec = storedSpec(target.spec, target.table);
    const anew = known.present === null || known.ended < ended;
    const same = !anew && known.present === spec.epoch && !(await hasDrifted(client, target));
    if (anew) await beginEnrolment(client, target.spec.name, ended);
    if (!same) {
      await installCapture(client, target);
      await grantTable(client, target.table, target.applyRole);
      await storeEnrolled(client, target.table, target.spec, document);
      await this.#refreshChildren(client, target.spec.name);
    }
    const change = anew ? 'new' : same ? 'none' : 'policy';
    return new PreparedEnrolment(client, target, change, spec, await digestOf(client, target), heldMs);
  }

  async #resolve(
    client: Client,
    ref: TableRef,
    input: unknown,
    given: GivenEpochs | undefined,
  ): Promise<Resolution & { readonly known: Epochs; readonly ended: number }> {
    const found = await readTable(client, ref);
    if (found === null)
      throw new EnrolmentRefused(`${ref.schema}.${ref.name}`, [
        problem('unknown_table', 'there is no such table in this region', 'make it in every region, then enrol it'),
      ]);
    // Read again under the lock: only then nobody alters it any more.
    if ((found.kind === 'r' || found.kind === 'p') && found.owned)
      await client.query(`LOCK TABLE ${found.name} IN SHARE ROW EXCLUSIVE MODE`);
    const table = (await readTable(client, ref)) ?? found;
    const known = await epochsOf(client, table.name);
    const { epoch, ended } = given ?? (await this.#nextEpoch(client, table.name, input, known));
    const resolved = resolvePolicy(input, table, epoch);
    const problems = [
      ...(ended < known.ended || epoch < (known.present ?? 0) ? [ENROLLED_MEANWHILE] : []),
      ...resolved.problems,
      ...(await roleProblems(client, table, this.options.applyRole, this.options.replicaRole)),
    ];
    if (problems.length > 0 || resolved.spec === null) throw new EnrolmentRefused(table.name, problems);
    const { region, applyRole } = this.options;
    const target = targetOf(table, resolved.spec, resolved.document, { region, applyRole }, await readEpochs(client));
    return { target, document: resolved.document, known, ended };
  }

  async #nextEpoch(client: Client, name: TableName, input: unknown, known: Epochs): Promise<GivenEpochs> {
    const { present, ended } = known;
    if (present === null) return { epoch: ended + 1, ended };
    const [enrolled] = await readEnrolled(client, name);
    return { epoch: samePolicy(enrolled!.policy, input) ? present : present + 1, ended };
  }

  /** What this region knows of the table's enrolments; null: nothing, under no name. */
  async standing(ref: TableRef, document?: unknown): Promise<TableStanding | null> {
    return this.#withClient(async (client) => {
      const names = await client.query<{ rel: TableName }>('SELECT DISTINCT rel FROM meridian.policy_epoch');
      const name = names.rows.map((r) => r.rel).find((rel) => isNamed(rel, ref));
      if (name === undefined) return null;
      const epochs = await epochsOf(client, name);
      const [enrolled] = await readEnrolled(client, name);
      return { name, ...epochs, samePolicy: enrolled !== undefined && samePolicy(enrolled.policy, document) };
    });
  }

  /**
   * No more capture: what the table's writers do from now on stays in this region. Rows stay as they are. `upTo`: the table's
   * last epoch in any region; left out, as if this were the only one. A table that is not enrolled here may be elsewhere, and
   * its changes are not to be waited for either.
   */
  async remove(name: TableName, upTo?: number): Promise<void> {
    await this.#withClient((client) =>
      inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const table = await readTableNamed(client, name);
        if (table !== null) {
          await dropCapture(client, table);
          await revokeTable(client, table, this.options.applyRole);
        }
        const { present, ended } = await epochsOf(client, name);
        await endEnrolment(client, name, upTo ?? present ?? ended);
        await this.#refreshChildren(client, name);
      }),
    );
  }

  async list(): Promise<readonly EnrolledTable[]> {
    return this.#withClient((client) => readEnrolled(client));
  }

  async get(name: TableName): Promise<EnrolledTable | null> {
    return this.#withClient(async (client) => (await readEnrolled(client, name))[0] ?? null);
  }

  /** Under the name that its user gives it: schema and name as they stand in the catalog. */
  async find(ref: TableRef): Promise<EnrolledTable | null> {
    return (await this.list()).find((t) => isNamed(t.name, ref)) ?? null;
  }

  /** Tables whose capture is no longer what it should be: somebody added an AFTER trigger, a partition, a column. */
  async captureDrift(): Promise<readonly TableName[]> {
    return this.#withClient((client) =>
      inTransaction(client, async () => {
        const drifted: TableName[] = [];
        for (const enrolled of await readEnrolled(client)) {
          const present = await presentTarget(client, enrolled, this.options);
          if (present === null || (await hasDrifted(client, present.target))) drifted.push(enrolled.name);
        }
        return drifted;
      }),
    );
  }

  /** Generates a table's capture anew. Resolves to false when it cannot be replicated as it is now: enrolling it says why. */
  async renewCapture(name: TableName): Promise<boolean> {
    return this.#withClient((client) =>
      inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const [enrolled] = await readEnrolled(client, name);
        const present = enrolled === undefined ? null : await presentTarget(client, enrolled, this.options);
        if (present === null) return false;
        await installCapture(client, present.target);
        await storeEnrolled(client, present.target.table, present.target.spec, present.document);
        return true;
      }),
    );
  }

  /** A child's capture touches its parent under the parent's epoch, and only once the parent is enrolled. */
  async #refreshChildren(client: Client, parent: TableName): Promise<void> {
    for (const enrolled of await readEnrolled(client)) {
      if (enrolled.name === parent) continue;
      const present = await presentTarget(client, enrolled, this.options);
      if (present === null || !present.target.table.foreignKeys.some((key) => key.parent === parent)) continue;
      await replaceFunctions(client, present.target);
      await storeEnrolled(client, present.target.table, present.target.spec, present.document);
    }
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.options.url, application_name: 'meridian enrolment' });
    await client.connect();
    return client;
  }

  async #withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

function isNamed(table: TableName, ref: TableRef): boolean {
  const { schema, name } = parseTableName(table);
  return schema === ref.schema && name === ref.name;
}

/** `stored` was written by policyJson, but came back through a JSON parser. */
function samePolicy(stored: unknown, given: unknown): boolean {
  const { document } = parsePolicyDocument(given);
  return document !== null && policyJson(document) === JSON.stringify(stored);
}
