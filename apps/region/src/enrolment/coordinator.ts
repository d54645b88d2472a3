import type { EnrolmentOutcome, RefusedReason, TableEnrolment, UnenrolmentOutcome } from '@meridian/api';
import type { EnrolledTable, TablePolicy, TableRevision } from '@meridian/contract';
import { parseTableName, type RegionId, type TableRef } from '@meridian/core';
import {
  type EnrolledTable as StoredTable,
  type Enrolment,
  type GivenEpochs,
  lastEpochOf,
  nextEpochs,
  type RowHash,
  type TableStanding,
} from '@meridian/postgres';
import { PeerCallError } from '@meridian/transport';
import { shareKeyNumbers } from './key-numbering.js';
import type { Participant, Prepared, Problem } from './participant.js';

/** Rows named as examples when two regions hold different ones. */
const EXAMPLES = 5;

export interface PolicyFunctionCheck {
  /** Why the functions of a policy are not to be relied upon. */
  problems(table: TableRef, policy: TablePolicy): Promise<readonly RefusedReason[]>;
  /** The policy with what its SQL functions do, as this region has them. */
  sealed(policy: TablePolicy): Promise<TablePolicy>;
}

/**
 * Enrols a table in all regions or in none: every region validates, installs capture and digests its rows in a transaction
 * that stays open (so its writers wait), the digests are compared, the numbers of generated keys are shared, then all commit. A call that was cut off in between is
 * made whole by calling again.
 */
export class EnrolmentCoordinator implements TableEnrolment {
  constructor(
    private readonly enrolment: Enrolment,
    private readonly local: Participant,
    private readonly peers: readonly Participant[],
    private readonly functions: PolicyFunctionCheck,
  ) {}

  async list(): Promise<readonly EnrolledTable[]> {
    return (await this.enrolment.list()).filter((t) => !isOurs(parseTableName(t.name))).map(shown);
  }

  async get(table: TableRef): Promise<EnrolledTable | null> {
    const found = isOurs(table) ? null : await this.enrolment.find(table);
    return found === null ? null : shown(found);
  }

  async revisions(table: TableRef): Promise<readonly TableRevision[] | null> {
    const found = isOurs(table) ? null : await this.enrolment.find(table);
    if (found === null) return null;
    const revisions = await this.enrolment.revisions(found.name);
    return revisions.map((r) => ({ ...r, policy: r.policy as TableRevision['policy'] }));
  }

  async put(table: TableRef, written: TablePolicy): Promise<EnrolmentOutcome> {
    const reason = isOurs(table) ? OURS : (this.unknownDonor(written) ?? this.unknownRanked(written));
    if (reason !== null) return { kind: 'refused', reasons: [reason] };
    const unreliable = await this.functions.problems(table, written);
    if (unreliable.length > 0) return { kind: 'refused', reasons: unreliable };
    const policy = await this.functions.sealed(written);
    const prepared: Prepared[] = [];
    try {
      const reasons = await this.prepareAll(table, policy, prepared);
      if (reasons.length > 0) return { kind: 'refused', reasons };
      const differing = await this.makeEqual(policy, prepared);
      if (differing.length > 0) return { kind: 'refused', reasons: differing };
      const { reasons: meeting, keySequences } = await shareKeyNumbers(prepared);
      if (meeting.length > 0) return { kind: 'refused', reasons: meeting };
      const created = prepared[0]!.change === 'new';
      for (const part of prepared.splice(0)) await part.at.commit(part.id);
      return { kind: 'enrolled', created, table: { ...(await this.get(table))!, keySequences } };
    } finally {
      await Promise.all(prepared.map((part) => part.at.rollback(part.id).catch(() => undefined)));
    }
  }

  /** In all regions that can be reached: each lets the table's changes pass that are still on their way to it. */
  async remove(table: TableRef): Promise<UnenrolmentOutcome> {
    if (isOurs(table)) return { kind: 'not enrolled' };
    const { reached, failures } = await this.standings(table, {});
    const known = reached.flatMap(({ standing }) => standing ?? []);
    if (known.every(({ present }) => present === null) && failures.length === 0) return { kind: 'not enrolled' };
    const upTo = lastEpochOf(known);
    const [first] = known;
    if (first !== undefined) {
      const kept = reached.map(async ({ at }) => told(at, await at.remove(first.name, upTo)));
      failures.push(...(await Promise.all(kept)).flat());
    }
    return failures.length === 0 ? { kind: 'ended' } : { kind: 'incomplete', reasons: failures };
  }

  /** Of every region, the own one first; a peer that cannot be asked says why. */
  private async standings(table: TableRef, policy: object): Promise<Standings> {
    const reached: Reached[] = [];
    const failures: RefusedReason[] = [];
    const regions = [this.local, ...this.peers];
    const asked = await Promise.allSettled(regions.map((at) => at.standing(table, policy)));
    for (const [i, answer] of asked.entries())
      if (answer.status === 'fulfilled') reached.push({ at: regions[i]!, standing: answer.value });
      else failures.push(unreachable(regions[i]!, answer.reason));
    return { reached, failures };
  }

  private unknownDonor({ initial }: TablePolicy): RefusedReason | null {
    return initial === 'equal' ? null : this.unknownRegion('initial.copyFrom', initial.copyFrom);
  }

  /** A region that a policy ranks. */
  private unknownRanked({ policy, columns }: TablePolicy): RefusedReason | null {
    const policies = [policy, ...Object.values(columns)];
    const ranked = policies.flatMap((p) => (typeof p === 'object' && 'regions' in p ? p.regions : []));
    const reasons = ranked.map((region) => this.unknownRegion('region-priority', region));
    return reasons.find((reason) => reason !== null) ?? null;
  }

  private unknownRegion(where: string, region: string): RefusedReason | null {
    const regions = [this.local, ...this.peers].map((p) => p.region as string);
    if (regions.includes(region)) return null;
    return {
      code: 'unknown_region',
      detail: `${where}: there is no region ${region}`,
      cure: `name one of ${regions.join(', ')}`,
    };
  }

  /**
   * One region first, the same whoever coordinates: of two calls for one table the second waits there for the first, and
   * holds nothing that this one waits for.
   */
  private async prepareAll(table: TableRef, policy: TablePolicy, prepared: Prepared[]): Promise<RefusedReason[]> {
    const { initial: _initial, ...document } = policy;
    const { reached, failures } = await this.standings(table, document);
    if (failures.length > 0) return failures;
    const epochs = nextEpochs(reached.map(({ standing }) => standing));
    const [first, ...rest] = [this.local, ...this.peers].sort((a, b) => (a.region < b.region ? -1 : 1));
    const reasons = await this.prepareAt(first!, table, document, epochs, prepared);
    if (reasons.length > 0) return reasons;
    const others = await Promise.all(rest.map((p) => this.prepareAt(p, table, document, epochs, prepared)));
    // What the regions say of one another begins with the own one.
    prepared.sort((a, b) => Number(b.at === this.local) - Number(a.at === this.local));
    return others.flat();
  }

  private async prepareAt(
    at: Participant,
    table: TableRef,
    document: object,
    epochs: GivenEpochs,
    prepared: Prepared[],
  ): Promise<RefusedReason[]> {
    try {
      const outcome = await at.prepare(table, document, epochs);
      if (outcome.kind === 'refused') return told(at, outcome.problems);
      prepared.push({ ...outcome, at });
      return [];
    } catch (error) {
      return [unreachable(at, error)];
    }
  }

  private async makeEqual(policy: TablePolicy, prepared: readonly Prepared[]): Promise<RefusedReason[]> {
    const [first, ...others] = prepared;
    const columns = others.filter((o) => o.signature !== first!.signature).map((o) => columnsDiffer(first!, o));
    if (columns.length > 0) return columns;
    const rules = others.filter((o) => o.rules.join() !== first!.rules.join()).map((o) => rulesDiffer(first!, o));
    if (rules.length > 0) return rules;
    if (prepared.every((p) => p.change !== 'new')) return [];
    if (policy.initial !== 'equal') return this.copy(policy.initial.copyFrom as RegionId, prepared);
    const differing = others.filter((o) => o.digest !== first!.digest);
    return Promise.all(differing.map((o) => rowsDiffer(first!, o)));
  }

  private async copy(from: RegionId, prepared: readonly Prepared[]): Promise<RefusedReason[]> {
    const donor = prepared.find((p) => p.at.region === from)!;
    const others = prepared.filter((p) => p !== donor && p.digest !== donor.digest);
    for (const other of others) {
      const digest = await other.at.copyFrom(other.id, from, donor.id);
      if (digest !== donor.digest)
        throw new Error(`${other.at.region} differs from ${from} after copying its rows: this is a bug of Meridian's`);
    }
    return [];
  }
}

interface Reached {
  readonly at: Participant;
  readonly standing: TableStanding | null;
}

interface Standings {
  readonly reached: readonly Reached[];
  readonly failures: RefusedReason[];
}

function unreachable({ region }: Participant, error: unknown): RefusedReason {
  if (!(error instanceof PeerCallError)) throw error;
  const cure = `this has to be done in all regions: bring ${region} up, then do it again`;
  return { code: error.code, detail: error.message, cure };
}

const told = ({ region }: Participant, problems: readonly Problem[]): RefusedReason[] =>
  problems.map(({ code, message, cure }) => ({ code, detail: `${region}: ${message}`, cure }));

function columnsDiffer(a: Prepared, b: Prepared): RefusedReason {
  const list = (x: Prepared, y: Prepared) =>
    `${x.at.region} has ${only(x.columns, y.columns).join(', ') || 'another primary key'}`;
  return {
    code: 'columns_differ',
    detail: `the table differs between the regions: ${list(a, b)}; ${list(b, a)}`,
    cure: 'make columns, types, NOT NULL and the primary key equal in all regions, then enrol again',
  };
}

/** A key that one region has and another has not would be decided by in the one alone. */
function rulesDiffer(a: Prepared, b: Prepared): RefusedReason {
  const list = (x: Prepared, y: Prepared) =>
    `only ${x.at.region} has ${only(x.rules, y.rules).join(', ') || 'nothing'}`;
  return {
    code: 'constraints_differ',
    detail: `the table's constraints differ between the regions: ${list(a, b)}; ${list(b, a)}`,
    cure: 'make unique keys, foreign keys and CHECKs equal in all regions, then enrol again',
  };
}

const only = (a: readonly string[], b: readonly string[]): string[] => a.filter((x) => !b.includes(x));

async function rowsDiffer(a: Prepared, b: Prepared): Promise<RefusedReason> {
  const buckets = a.buckets.flatMap((sum, i) => (sum === b.buckets[i] ? [] : [i])).slice(0, EXAMPLES);
  const [ours, theirs] = await Promise.all([a.at.examples(a.id, buckets), b.at.examples(b.id, buckets)]);
  const examples = differingKeys(ours, theirs).slice(0, EXAMPLES);
  return {
    code: 'rows_differ',
    detail: `${a.at.region} holds ${a.rows} rows, ${b.at.region} ${b.rows}, and they are not the same; for example the rows with the keys ${examples.join(', ')}`,
    cure: `"initial": {"copyFrom": "${a.at.region}"} brings the others to ${a.at.region}'s rows; or make them equal first`,
  };
}

function differingKeys(a: readonly RowHash[], b: readonly RowHash[]): string[] {
  const hashes = new Map(b.map((r) => [r.key, r.hash]));
  const changed = a.filter((r) => hashes.get(r.key) !== r.hash).map((r) => r.key);
  const known = new Set(a.map((r) => r.key));
  return [...changed, ...b.filter((r) => !known.has(r.key)).map((r) => r.key)];
}

/** Conflict records travel as a table does, and are nobody's to enrol or to end. */
const OURS: RefusedReason = {
  code: 'meridian_table',
  detail: 'tables of schema meridian are not enrolled by anybody',
  cure: 'name a table of your own',
};
const isOurs = ({ schema }: TableRef): boolean => schema === 'meridian';

const shown = ({ name, state, reason, spec, policy, enrolledAt }: StoredTable): EnrolledTable => ({
  table: name,
  state,
  reason,
  epoch: spec.epoch,
  policy: policy as EnrolledTable['policy'],
  enrolledAt,
});
