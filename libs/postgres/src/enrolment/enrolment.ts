import type { TableName } from '@meridian/core';
import { Client } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { parentProblems } from '../catalog/foreign-key-problems.js';
import { keySequenceProblems, readKeySequences } from '../catalog/key-sequences.js';
import { readTable, readTableNamed, type TableRef } from '../catalog/read-table.js';
import { type EnrolmentProblem, EnrolmentRefused, problem } from '../catalog/refusal.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import { hasDrifted, strays } from '../capture/drift.js';
import { dropCapture, dropTriggers, installCapture, replaceFunctions } from '../capture/install.js';
import { type PolicyRevision, readRevisions } from './revisions.js';
import { refuseMerging, withSharesOf } from './policy-change.js';
import { attachedRowsProblems } from './attached-rows.js';
import { digestOf, PIN_OUTPUT } from './digest.js';
import { grantTable, revokeTable, roleProblems } from './grants.js';
import { referrerProblems, referrersDiffer } from './referrers.js';
import { holdKeySequences, numberKeys, numbersDrifted, type Share } from './key-numbers.js';
import { functionProblems } from './policy-functions.js';
import { HELD_MS, PreparedEnrolment } from './prepared-enrolment.js';
import { presentSpec } from './present-spec.js';
import { groupsOf, ruleOfForeignKey, rulesOf } from './agreement.js';
import {
  agreedSpec,
  type EnrolledTable,
  beginEnrolment,
  endEnrolment,
  type Epochs,
  epochsOf,
  readEnrolled,
  readEpochs,
  storeEnrolled,
  storePresent,
} from './stored-table.js';
import { type GivenEpochs, isAgreed, isAnew, isNamed, tableStanding, type TableStanding } from './table-standing.js';
import { type Place, presentTable, type Resolution, targetOf } from './targets.js';
import { BEGIN, inTransaction } from './transaction.js';

export interface EnrolmentOptions extends Place {
  /** The owner's, as in postgres.url. */
  readonly url: string;
  readonly replicaRole: boolean;
  readonly heldMs?: number;
}

/** Two calls at once, and the other was first in this region; or the table is not what it was when the regions were asked. */
const ENROLLED_MEANWHILE = problem(
  'enrolled_meanwhile',
  'another call enrolled or un-enrolled the table meanwhile, or its keys were altered',
  'look at it, then enrol again',
);

/** What was here before the enrolment that is being prepared. */
interface Before {
  readonly enrolled: EnrolledTable | undefined;
  readonly known: Epochs;
  /** The last epoch that has ended with it. */
  readonly ended: number;
}

/** How long an enrolment waits for the table's writers before it gives up. */
const LOCK_TIMEOUT = '10s';

/** Another enrolment of it, too, once this has waited so long: lock timeout, deadlock. */
function busyOr(table: string, error: unknown): never {
  if (!['55P03', '40P01'].includes((error as { code?: string }).code ?? '')) throw error;
  throw new EnrolmentRefused(table, [
    problem(
      'table_busy',
      `${table} was held by other transactions for ${LOCK_TIMEOUT}`,
      'end the long ones (pg_stat_activity tells), or let the other enrolment end; then do it again',
    ),
  ]);
}

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
      return busyOr(`${ref.schema}.${ref.name}`, error);
    }
  }

  async #prepare(client: Client, ref: TableRef, input: unknown, given?: GivenEpochs): Promise<PreparedEnrolment> {
    const heldMs = this.options.heldMs ?? HELD_MS;
    // The server's own limit is for a service that hangs; the service's, for a coordinator that died.
    await client.query(
      `${BEGIN}; ${PIN_OUTPUT}; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'; SET LOCAL idle_in_transaction_session_timeout = ${heldMs + 15_000}`,
    );
    const { target: asked, document, enrolled, known, ended } = await this.#resolve(client, ref, input, given);
    const anew = isAnew(known, ended);
    const before = anew ? undefined : presentSpec(enrolled!.spec, asked.table, document);
    if (before !== undefined) refuseMerging(before, asked.spec);
    const target = { ...asked, spec: withSharesOf(before, asked.spec) };
    const spec = agreedSpec(target.spec, target.table, before);
    const same = !anew && known.present === spec.epoch && !(await hasDrifted(client, target));
    if (anew) await beginEnrolment(client, target.spec.name, ended);
    if (!same) {
      await installCapture(client, target);
      await grantTable(client, target.table, target.applyRole);
      await storeEnrolled(client, spec, document);
      await this.#refreshChildren(client, target.spec.name);
    }
    const change = anew ? 'new' : same ? 'none' : 'policy';
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
    given: GivenEpochs | undefined,
  ): Promise<Resolution & Before> {
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
    const known = await epochsOf(client, table.name);
    const ended = given?.ended ?? known.ended;
    const epoch = given?.epoch ?? known.present ?? ended + 1;
    const resolved = resolvePolicy(input, table, epoch);
    const problems = [
      ...(ended < known.ended || epoch < (known.present ?? 0) ? [ENROLLED_MEANWHILE] : []),
      ...resolved.problems,
      ...(await roleProblems(client, table, this.options.applyRole, this.options.replicaRole)),
      ...(await this.#relatedProblems(client, table)),
      ...keySequenceProblems(await readKeySequences(client, table)),
      ...(resolved.document === null ? [] : await functionProblems(client, resolved.document)),
    ];
    if (problems.length > 0 || resolved.spec === null) throw new EnrolmentRefused(table.name, problems);
    const { document, spec } = resolved;
    const { region, applyRole } = this.options;
    const place = { region, applyRole };
    const epochs = await readEpochs(client);
    const target = targetOf(table, spec, document, place, epochs);
    const resolution = { target, document, enrolled, known, ended };
    const isOther =
      enrolled !== undefined &&
      !isAnew(known, ended) &&
      epoch === known.present &&
      !isAgreed(enrolled, target, document);
    if (!isOther) return resolution;
    if (given !== undefined) throw new EnrolmentRefused(table.name, [ENROLLED_MEANWHILE]);
    return { ...resolution, target: targetOf(table, { ...spec, epoch: epoch + 1 }, document, place, epochs) };
  }

  async standing(ref: TableRef, document?: unknown): Promise<TableStanding | null> {
    return this.#withClient((client) => tableStanding(client, ref, document, this.options));
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
          await dropTriggers(client, await strays(client, table));
          await dropCapture(client, table);
          await revokeTable(client, table, this.options.applyRole);
        }
        const { present, ended } = await epochsOf(client, name);
        await endEnrolment(client, name, upTo ?? present ?? ended);
        await this.#refreshChildren(client, name);
      }).catch((error) => busyOr(name, error)),
    );
  }

  async list(): Promise<readonly EnrolledTable[]> {
    return this.#withClient((client) => readEnrolled(client));
  }

  async get(name: TableName): Promise<EnrolledTable | null> {
    return this.#withClient(async (client) => (await readEnrolled(client, name))[0] ?? null);
  }

  /** Newest first. */
  async revisions(name: TableName): Promise<readonly PolicyRevision[]> {
    return this.#withClient((client) => readRevisions(client, name));
  }

  /** Under the name that its user gives it: schema and name as they stand in the catalog. */
  async find(ref: TableRef): Promise<EnrolledTable | null> {
    return (await this.list()).find((t) => isNamed(t.name, ref)) ?? null;
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
        const attached: EnrolmentProblem[] = [];
        if (await hasDrifted(client, target)) {
          attached.push(...(await attachedRowsProblems(client, target)));
          await dropTriggers(client, await strays(client, target.table));
          await installCapture(client, target);
        }
        const related = await this.#relatedProblems(client, target.table);
        return {
          differs,
          problems: [...attached, ...related, ...(await this.#renewNumbers(client, target.table, enrolled))],
        };
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
