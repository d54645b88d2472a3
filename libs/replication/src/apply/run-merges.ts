import {
  type Made,
  type PolicyCall,
  type PolicyFunctions,
  type MergeOutcome,
  type PendingMerge,
  type RowRef,
  TransactionRetryError,
  FUNCTION_WAITS,
  isLocalFailure,
  mergeVersionOf,
  onlyColumns,
  patchOf,
} from '@meridian/core';
import type { ContendedRow } from './row-outcome.js';

interface Asked {
  readonly row: ContendedRow;
  readonly merge: PendingMerge;
}

/**
 * Lets users' functions decide what is theirs, all rows of a batch in one message. A failure that follows from the call is the
 * same in every region, and the fallback decides; one that follows from this machine is not, so the table waits here.
 */
export async function runMerges(functions: PolicyFunctions, rows: readonly ContendedRow[]): Promise<void> {
  const asked = rows.flatMap((row) => row.pending.map((merge): Asked => ({ row, merge })));
  if (asked.length === 0) return;
  const outcomes = await functions.run(asked.map(({ row, merge }) => callOf(row.ref, merge)));
  for (const [i, { row, merge }] of asked.entries()) row.settle(merge, madeOf(row.ref, merge, outcomes[i]!));
}

const callOf = ({ table, key }: RowRef, { columns, policy, base, versions }: PendingMerge): PolicyCall => ({
  function: policy.function,
  table,
  key,
  columns,
  base,
  versions: versions.map((e) => mergeVersionOf(e, onlyColumns(patchOf(e), columns))),
});

function madeOf({ table, key }: RowRef, { policy, columns }: PendingMerge, outcome: MergeOutcome): Made {
  if (outcome.kind === 'merged') return outcome;
  const detail = `${outcome.because}: ${outcome.detail}`;
  if (!isLocalFailure(outcome.because)) return { kind: 'failed', reason: detail };
  throw new TransactionRetryError({
    ...{ retry: 'table refused', table },
    detail: `${FUNCTION_WAITS} ${policy.function.name} gave nothing here for ${columns.join(', ')} of the row ${key}: ${detail}`,
  });
}
