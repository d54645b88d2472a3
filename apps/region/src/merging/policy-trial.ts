import type { TablePolicy } from '@meridian/contract';
import type { ConflictRecord, PolicyTrial, TableName, TableRef, TrialSpecs } from '@meridian/core';
import type { FunctionCheck } from './function-check.js';

/** A policy whose functions cannot be used is refused when it is tried, as it would be when it is put in force. */
export class UsablePolicyTrial implements PolicyTrial {
  constructor(
    private readonly trial: PolicyTrial,
    private readonly functions: Pick<FunctionCheck, 'unusable'>,
  ) {}

  async specs(table: TableRef, policy: unknown): Promise<TrialSpecs | null> {
    const specs = await this.trial.specs(table, policy);
    if (specs?.kind !== 'resolved') return specs;
    const reasons = await this.functions.unusable(policy as TablePolicy);
    return reasons.length === 0 ? specs : { kind: 'refused', reasons };
  }

  records(table: TableName, since: string | undefined, limit: number): AsyncIterable<readonly ConflictRecord[]> {
    return this.trial.records(table, since, limit);
  }
}
