import type { ClientBase } from 'pg';
import type { PolicyDocument } from '../catalog/policy-document.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';
import { FIND_FUNCTION, functionIn } from '../merge/find-function.js';

/** SQL functions that the policy names and this region has not, or has otherwise than the region that was asked first. */
export async function functionProblems(client: ClientBase, document: PolicyDocument): Promise<EnrolmentProblem[]> {
  const problems: EnrolmentProblem[] = [];
  for (const [column, policy] of document.columns) {
    if (policy.kind !== 'merge' || policy.function.language !== 'sql') continue;
    const { source, digest } = policy.function;
    const { rows } = await client.query<(string | null)[]>({ text: FIND_FUNCTION, values: [source], rowMode: 'array' });
    const found = functionIn(rows[0], source, digest);
    if (found.kind === 'refused')
      problems.push(
        problem(
          'merge_function_differs',
          `"${column}": ${found.detail}`,
          'CREATE OR REPLACE FUNCTION, alike in every region',
        ),
      );
  }
  return problems;
}
