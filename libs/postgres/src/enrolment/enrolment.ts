import { parseTableName, type TableName, type TableSpec } from '@meridian/core';
import { Client } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { parentProblems } from '../catalog/foreign-key-problems.js';
import { keySequenceProblems, readKeySequences } from '../catalog/key-sequences.js';
import { type PolicyDocument, policyJson } from '../catalog/policy-document.js';
import { readTable, readTableNamed, type TableRef } from '../catalog/read-table.js';
import { type EnrolmentProblem, EnrolmentRefused, problem } from '../catalog/refusal.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import type { CaptureTarget } from '../capture/capture-target.js';
import { hasDrifted, strays } from '../capture/drift.js';
import { dropCapture, dropTriggers, installCapture, replaceFunctions } from '../capture/install.js';
import { digestOf, PIN_OUTPUT } from './digest.js';
import { grantTable, revokeTable, roleProblems } from './grants.js';
import { referrerProblems, referrersDiffer } from './referrers.js';
import { holdKeySequences, numberKeys, numbersDrifted, type Share } from './key-numbers.js';
import { HELD_MS, PreparedEnrolment } from './prepared-enrolment.js';
import { presentSpec } from './present-spec.js';
import { groupsOf, ruleOfForeignKey, rulesOf } from './agreement.js';
import {
  agreedSpec,
  type EnrolledTable,
  forgetEnrolled,
  readEnrolled,
  readEpochs,
  storeEnrolled,
  storePresent,
} from './stored-table.js';
import { type Place, presentTable, type Resolution, targetOf } from './targets.js';
import { BEGIN, inTransaction } from './transaction.js';

export interface EnrolmentOptions extends Place {
  /** The owner's, as in postgres.url. */
  readonly url: string;
  readonly replicaRole: boolean;
  readonly heldMs?: number;
}

/** How long an enrolment waits for the table's writers before it gives up. */
const LOCK_TIMEOUT = '10s';

/** Which tables of this database replicate, and how; one region's part of it. Other regions' parts are their own. */
export class Enrolment {
  constructor(private readonly options: EnrolmentOptions) {}

  /**
   * Validates, installs capture and digests the rows, all in a transaction that stays open; see {@link PreparedEnrolment}.
   * `epoch`: of the policy, the same in every region; left out, one above the present one when the policy changes.
   */
  async prepare(ref: TableRef, document: unknown, epoch?: number): Promise<PreparedEnrolment> {
    const client = await this.#connect();
    try {
      return await this.#prepare(client, ref, document, epoch);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  async #prepare(client: Client, ref: TableRef, input: unknown, epoch: number | undefined): Promise<PreparedEnrolment> {
    const heldMs = this.options.heldMs ?? HELD_MS;
    // The server's own limit is for a service that hangs; the service's, for a coordinator that died.
    await client.query(
      `${BEGIN}; ${PIN_OUTPUT}; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; SET LOCAL idle_in_transaction_session_timeout = ${heldMs + 15_000}`,
    );
    const { target, document, enrolled } = await this.#resolve(client, ref, input, epoch);
    const before = enrolled === undefined ? undefined : presentSpec(enrolled.spec, target.table, document);
    const spec = agreedSpec(target.spec, target.table, before);
    const same = enrolled !== undefined && enrolled.spec.epoch === spec.epoch && !(await hasDrifted(client, target));
    if (!same) {
      await installCapture(client, target);
      await grantTable(client, target.table, target.applyRole);
      await storeEnrolled(client, spec, document);
      await this.#refreshChildren(client, target.spec.name);
    }
    const change = enrolled === undefined ? 'new' : same ? 'none' : 'policy';
    const rules = [...rulesOf(spec), ...groupsOf(spec), ...(await this.#rulesOfChildren(client, spec.name))];
    const content = await digestOf(client, target);
    const sequences = await holdKeySequences(client, target.table);
    const numbering = enrolled?.numbering ?? null;
    return new PreparedEnrolment(client, target, change, spec, rules, content, sequences, numbering, heldMs);
  }

  async #resolve(
    client: Client,
    ref: TableRef,
    input: unknown,
    epoch: number | undefined,
  ): Promise<Resolution & { readonly enrolled: EnrolledTable | undefined }> {
    const found = await readTable(client, ref);
    if (found === null)
      throw new EnrolmentRefused(`${ref.schema}.${ref.name}`, [
        problem('unknown_table', 'there is no such table in this region', 'make it in every region, then enrol it'),
      ]);
    // Read again under the lock: only then nobody alters it any more.
    if ((found.kind === 'r' || found.kind === 'p') && found.owned)
      await client.query(`LOCK TABLE ${found.name} IN SHARE ROW EXCLUSIVE MODE`);
    const table = (await readTable(client, ref)) ?? found;
    const [enrolled] = await readEnrolled(client, table.name);
    const resolved = resolvePolicy(input, table, epoch ?? enrolled?.spec.epoch ?? 1);
    const problems = [
      ...resolved.problems,
      ...(await roleProblems(client, table, this.options.applyRole, this.options.replicaRole)),
      ...(await this.#relatedProblems(client, table)),
      ...keySequenceProblems(await readKeySequences(client, table)),
    ];
    if (problems.length > 0 || resolved.spec === null) throw new EnrolmentRefused(table.name, problems);
    const { document, spec } = resolved;
    const { region, applyRole } = this.options;
    const place = { region, applyRole };
    const epochs = await readEpochs(client);
    const target = targetOf(table, spec, document, place, epochs);
    if (epoch !== undefined || enrolled === undefined || isAgreed(enrolled, target, document))
      return { target, document, enrolled };
    const anew = { ...spec, epoch: enrolled.spec.epoch + 1 };
    return { target: targetOf(table, anew, document, place, epochs), document, enrolled };
  }

  /** No more capture: what the table's writers do from now on stays in this region. Rows stay as they are. */
  async remove(name: TableName): Promise<void> {
    await this.#withClient((client) =>
      inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const table = await readTableNamed(client, name);
        if (table !== null) {
          await dropCapture(client, table);
          await revokeTable(client, table, this.options.applyRole);
        }
        await forgetEnrolled(client, name);
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
    const named = (t: EnrolledTable): boolean => {
      const { schema, name } = parseTableName(t.name);
      return schema === ref.schema && name === ref.name;
    };
    return (await this.list()).find(named) ?? null;
  }

  /**
   * Tables that have changed since they were last looked at: somebody added an AFTER trigger, a partition, a column; made the
   * table differ from what the regions agreed on, or like that again; foreign keys have come to involve other tables; or its
   * keys' sequences give numbers of other regions.
   */
  async captureDrift(): Promise<readonly TableName[]> {
    return this.#withClient((client) =>
      inTransaction(client, async () => {
        const drifted: TableName[] = [];
        for (const enrolled of await readEnrolled(client))
          if (await this.#hasDrifted(client, enrolled)) drifted.push(enrolled.name);
        return drifted;
      }),
    );
  }

  /**
   * Generates a table's capture anew, keeps how the table here differs from what the regions agreed on, and gives its keys'
   * sequences this region's numbers. Resolves to the difference (null: there is none), and to what else is not safe.
   */
  async renewCapture(name: TableName): Promise<Renewed> {
    return this.#withClient((client) =>
      inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const [enrolled] = await readEnrolled(client, name);
        if (enrolled === undefined) return { differs: null, problems: [] };
        const { capture, differs } = await presentTable(client, enrolled, this.options);
        await storePresent(client, capture?.spec ?? enrolled.spec, differs);
        if (capture === null) return { differs, problems: [] };
        const { target } = capture;
        if (await hasDrifted(client, target)) {
          await dropTriggers(client, await strays(client, target));
          await installCapture(client, target);
        }
        const related = await this.#relatedProblems(client, target.table);
        return { differs, problems: [...related, ...(await this.#renewNumbers(client, target.table, enrolled))] };
      }),
    );
  }

  async #hasDrifted(client: Client, enrolled: EnrolledTable): Promise<boolean> {
    const { capture, differs } = await presentTable(client, enrolled, this.options);
    if (capture === null || differs !== enrolled.differs) return differs !== enrolled.differs;
    const { target } = capture;
    if ((await hasDrifted(client, target)) || referrersDiffer(enrolled.spec, target.table)) return true;
    if ((await parentProblems(client, target.table)).length > 0) return true;
    const share = this.#shareOf(enrolled);
    return share !== null && numbersDrifted(client, target.table, share);
  }

  /** Own numbers never meet other regions', whatever those have given. */
  async #renewNumbers(
    client: Client,
    table: CatalogTable,
    enrolled: EnrolledTable,
  ): Promise<readonly EnrolmentProblem[]> {
    const share = this.#shareOf(enrolled);
    if (share === null) return [];
    const outcome = await numberKeys(client, table, share, []);
    return outcome.kind === 'refused' ? outcome.problems : [];
  }

  /** Of tables that this one refers to, or that refer to it. */
  async #relatedProblems(client: Client, table: CatalogTable): Promise<readonly EnrolmentProblem[]> {
    const parents = await parentProblems(client, table);
    return [...parents, ...(await referrerProblems(client, table, this.options.applyRole))];
  }

  #shareOf({ numbering }: EnrolledTable): Share | null {
    return numbering === null ? null : { region: this.options.region, numbering, wasShared: true };
  }

  /** A child's capture touches its parent under the parent's epoch, and only once the parent is enrolled. */
  async #refreshChildren(client: Client, parent: TableName): Promise<void> {
    for (const enrolled of await readEnrolled(client)) {
      if (enrolled.name === parent) continue;
      const { capture, differs } = await presentTable(client, enrolled, this.options, parent);
      if (capture === null || !capture.target.table.foreignKeys.some((key) => key.parent === parent)) continue;
      await replaceFunctions(client, capture.target);
      await storePresent(client, capture.spec, differs);
    }
  }

  /** Enrolled tables that refer to it decide by it, too. */
  async #rulesOfChildren(client: Client, parent: TableName): Promise<string[]> {
    const others = (await readEnrolled(client)).filter((t) => t.name !== parent);
    return others.flatMap(({ name, spec }) =>
      spec.foreignKeys.filter((key) => key.parent === parent).map((key) => `${name}: ${ruleOfForeignKey(key)}`),
    );
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

export interface Renewed {
  readonly differs: string | null;
  readonly problems: readonly EnrolmentProblem[];
}

/** Is it enrolled with this policy and these rules already? */
function isAgreed({ policy, spec }: EnrolledTable, target: CaptureTarget, given: PolicyDocument): boolean {
  const rules = (of: TableSpec): string => [...rulesOf(of), ...groupsOf(of)].join();
  const present = presentSpec(spec, target.table, given);
  // `policy` was written by policyJson, but came back through a JSON parser.
  return (
    policyJson(given) === JSON.stringify(policy) &&
    rules(present) === rules(target.spec) &&
    present.missing.length === 0
  );
}
