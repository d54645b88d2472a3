import { parseTableName, type TableName, type TableSpec } from '@meridian/core';
import type { ClientBase } from 'pg';
import { type PolicyDocument, policyJson } from '../catalog/policy-document.js';
import { readTableNamed, type TableRef } from '../catalog/read-table.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import type { CaptureTarget } from '../capture/capture-target.js';
import { groupsOf, rulesOf } from './agreement.js';
import { presentSpec } from './present-spec.js';
import { type EnrolledTable, type Epochs, epochsOf, isWaitedFor, readEnrolled, readEpochs } from './stored-table.js';
import { type Place, targetOf } from './targets.js';

/** What the regions have agreed on for an enrolment: the epoch it has, and the last one that has ended with it. */
export interface GivenEpochs {
  readonly epoch: number;
  readonly ended: number;
}

/** Where fewer have ended, what came before is past for the other regions. */
export const isAnew = ({ present, ended }: Epochs, given: number): boolean => present === null || ended < given;

export interface TableStanding extends Epochs {
  readonly name: TableName;
  /**
   * It is enrolled with the policy that was asked for, and with the rules that the table has now; and no changes wait for it.
   * They may set columns that no region has any more: only those of an epoch that is past are applied without them.
   */
  readonly agreed: boolean;
}

/** What a region knows of a table's enrolments; null: nothing, under no name. */
export async function tableStanding(
  client: ClientBase,
  ref: TableRef,
  input: unknown,
  place: Place,
): Promise<TableStanding | null> {
  const { rows } = await client.query<{ rel: TableName }>('SELECT DISTINCT rel FROM meridian.policy_epoch');
  const name = rows.map(({ rel }) => rel).find((rel) => isNamed(rel, ref));
  if (name === undefined) return null;
  const [enrolled] = await readEnrolled(client, name);
  const agreed =
    enrolled !== undefined &&
    (await isAgreedAsItIs(client, enrolled, input, place)) &&
    !(await isWaitedFor(client, name));
  return { name, ...(await epochsOf(client, name)), agreed };
}

async function isAgreedAsItIs(
  client: ClientBase,
  enrolled: EnrolledTable,
  input: unknown,
  place: Place,
): Promise<boolean> {
  const table = await readTableNamed(client, enrolled.name);
  if (table === null) return false;
  const { spec, document } = resolvePolicy(input, table, enrolled.spec.epoch);
  if (spec === null) return false;
  return isAgreed(enrolled, targetOf(table, spec, document, place, await readEpochs(client)), document);
}

export function isNamed(table: TableName, ref: TableRef): boolean {
  const { schema, name } = parseTableName(table);
  return schema === ref.schema && name === ref.name;
}

/** Is it enrolled with this policy and these rules already? */
export function isAgreed({ policy, spec }: EnrolledTable, target: CaptureTarget, given: PolicyDocument): boolean {
  const rules = (of: TableSpec): string => [...rulesOf(of), ...groupsOf(of)].join();
  const present = presentSpec(spec, target.table, given);
  // `policy` was written by policyJson, but came back through a JSON parser.
  return (
    policyJson(given) === JSON.stringify(policy) &&
    rules(present) === rules(target.spec) &&
    present.missing.length === 0
  );
}
