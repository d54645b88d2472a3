import type { BoundedCounter, RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import { ident, literal } from '../catalog/quoting.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';
import type { CaptureTarget } from '../capture/capture-target.js';
import { keyArray } from '../capture/expressions.js';

/** Rows named as examples of those that are below the bound. */
const EXAMPLES = 5;

/**
 * What of the rows that are there is whose: the regions hold equal rows then, so each comes to the same shares by itself. What
 * cannot be divided goes to the region that is first by name.
 */
export async function shareOut(
  client: ClientBase,
  target: CaptureTarget,
  regions: readonly RegionId[],
): Promise<EnrolmentProblem[]> {
  const problems: EnrolmentProblem[] = [];
  for (const bounded of target.spec.bounded ?? []) {
    const below = await belowBound(client, target, bounded);
    if (below.length > 0) problems.push(belowProblem(target, bounded, below));
    else await client.query(baseSql(target, bounded), [[...regions].sort()]);
  }
  return problems;
}

async function belowBound(
  client: ClientBase,
  target: CaptureTarget,
  { column, min }: BoundedCounter,
): Promise<string[]> {
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${keyArray(target, 't')}::text AS key FROM ${target.spec.name} t WHERE t.${ident(column)} < ${min} ORDER BY key LIMIT ${EXAMPLES}`,
  );
  return rows.map((row) => row.key);
}

const belowProblem = (target: CaptureTarget, { column, min }: BoundedCounter, keys: string[]): EnrolmentProblem =>
  problem(
    'bad_counter',
    `rows of ${target.spec.name} have a "${column}" below its bound of ${min}: for example those with the keys ${keys.join(', ')}`,
    `UPDATE ${target.spec.name} SET ${ident(column)} = ${min} WHERE ${ident(column)} < ${min}; or give it a lower "min"`,
  );

const baseSql = (target: CaptureTarget, { column, name, min, since }: BoundedCounter): string => {
  const left = `t.${ident(column)}::numeric - ${min}`;
  const part = `trunc((${left}) / cardinality($1::text[]), scale(t.${ident(column)}::numeric))`;
  return `INSERT INTO meridian.share_base (rel, since, pk, column_name, shares)
    SELECT ${literal(target.spec.name)}, ${since}, ${keyArray(target, 't')}::text, ${literal(name)}, (
      SELECT jsonb_object_agg(r.region, (CASE r.place WHEN 1 THEN ${left} - (cardinality($1::text[]) - 1) * ${part} ELSE ${part} END)::text)
        FROM unnest($1::text[]) WITH ORDINALITY AS r(region, place))
      FROM ${target.spec.name} t WHERE t.${ident(column)} > ${min}`;
};
