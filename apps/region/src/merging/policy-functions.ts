import type { MergeCall, MergeFunction, MergeOutcome, PolicyCall, PolicyFunctions } from '@meridian/core';
import { MergeSandbox } from '@meridian/merge-sandbox';
import type { SqlMergeSession } from '@meridian/postgres';

/** What tables' policies bring along: JavaScript in the sandbox, and SQL in this region's database. */
export class RegionPolicyFunctions implements PolicyFunctions {
  private readonly sandbox = new MergeSandbox();
  /** The sandbox knows a function by name and version: a text of its own is a version of its own, in this process. */
  private readonly versions = new Map<string, number>();

  constructor(private readonly sql: SqlMergeSession) {}

  async run(calls: readonly PolicyCall[]): Promise<readonly MergeOutcome[]> {
    const ours = await this.inSandbox(calls.filter((c) => c.function.language === 'javascript'));
    const theirs = await this.inDatabase(calls.filter((c) => c.function.language === 'sql'));
    const outcomes = calls.map((call) => (ours.get(call) ?? theirs.get(call))!);
    return this.sql.accepted(calls, outcomes);
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.sql.close();
  }

  private async inSandbox(calls: readonly PolicyCall[]): Promise<ReadonlyMap<PolicyCall, MergeOutcome>> {
    const refs = new Map<MergeFunction, MergeCall['function']>();
    for (const { function: fn } of calls) if (!refs.has(fn)) refs.set(fn, await this.compiled(fn));
    const named = calls.map((call) => ({ ...call, function: refs.get(call.function)! }));
    return paired(calls, named.length === 0 ? [] : await this.sandbox.run(named));
  }

  /** A text that cannot be compiled is refused where it is enrolled; here its calls fail, alike in every region. */
  private async compiled({ name, source }: MergeFunction): Promise<MergeCall['function']> {
    const id = `${name}\n${source}`;
    const version = this.versions.get(id) ?? this.versions.size + 1;
    this.versions.set(id, version);
    await this.sandbox.compile(name, version, source);
    return { name, version };
  }

  private async inDatabase(calls: readonly PolicyCall[]): Promise<ReadonlyMap<PolicyCall, MergeOutcome>> {
    const named = calls.map((call) => {
      const { source, digest } = call.function;
      return { ...call, function: { name: source, version: 1, digest } };
    });
    return paired(calls, named.length === 0 ? [] : await this.sql.run(named));
  }
}

const paired = (
  calls: readonly PolicyCall[],
  outcomes: readonly MergeOutcome[],
): ReadonlyMap<PolicyCall, MergeOutcome> => new Map(calls.map((call, i) => [call, outcomes[i]!]));
