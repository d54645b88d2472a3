import type { RefusedReason } from '@meridian/api';
import type { ColumnPolicy, TablePolicy } from '@meridian/contract';
import {
  type ConflictRecord,
  type MergeCall,
  type MergeFunctionRef,
  type MergeVersion,
  type PolicyTrial,
  type TableName,
  type TableRef,
  type Values,
  onlyColumns,
} from '@meridian/core';
import { checkCalls, checkMerge, type MergeCheck, MergeSandbox, type MergeSamples } from '@meridian/merge-sandbox';
import type { CatalogTable, SqlMergeSession } from '@meridian/postgres';

/** Conflicts of the past that a new function is tried on, newest first. */
const RECORDS = 200;

interface WrittenFunction extends MergeFunctionRef {
  readonly columns: readonly string[];
  readonly language: 'javascript' | 'sql';
  readonly source: string;
}

/** Tries the functions of a policy before any region takes it: on recorded and on random versions of its columns. */
export class FunctionCheck {
  constructor(
    private readonly catalogTable: (table: TableRef) => Promise<CatalogTable | null>,
    private readonly trial: PolicyTrial,
    private readonly sql: SqlMergeSession,
  ) {}

  async problems(table: TableRef, policy: TablePolicy): Promise<readonly RefusedReason[]> {
    const functions = functionsIn(policy);
    if (functions.length === 0) return [];
    const found = await this.catalogTable(table);
    if (found === null) return [];
    const sandbox = new MergeSandbox();
    try {
      const reasons: RefusedReason[] = [];
      for (const written of functions) {
        const types = found.columns.filter((c) => written.columns.includes(c.name));
        // What there is no column for, the policy's own check refuses.
        if (types.length < written.columns.length) continue;
        const samples = { table: found.name, columns: types, recorded: [] };
        const recorded = await this.recorded(written, samples);
        reasons.push(...(await this.reasons(sandbox, written, { ...samples, recorded })));
      }
      return reasons;
    } finally {
      await sandbox.close();
    }
  }

  /** With what its SQL functions do now: every region has to have them do the same, now and whenever they are called. */
  async sealed(policy: TablePolicy): Promise<TablePolicy> {
    const columns = Object.entries(policy.columns).map(async ([column, of]): Promise<[string, ColumnPolicy]> => {
      if (!isInSql(of)) return [column, of];
      const found = await this.sql.find(of.source);
      return [column, found.kind === 'found' ? { ...of, digest: found.digest } : of];
    });
    return { ...policy, columns: Object.fromEntries(await Promise.all(columns)) };
  }

  private async reasons(
    sandbox: MergeSandbox,
    written: WrittenFunction,
    samples: MergeSamples,
  ): Promise<RefusedReason[]> {
    if (written.language === 'javascript') return told(written, await checkMerge(sandbox, written, samples));
    const found = await this.sql.find(written.source);
    if (found.kind === 'found')
      return told(written, await checkCalls(this.sql, { name: written.source, version: 1 }, samples));
    return [
      {
        code: 'merge_unknown_function',
        detail: `${written.columns.join(', ')}: ${found.detail}`,
        cure: 'CREATE FUNCTION in every region',
      },
    ];
  }

  private async recorded(written: WrittenFunction, samples: MergeSamples): Promise<MergeCall[]> {
    const calls: MergeCall[] = [];
    for await (const page of this.trial.records(samples.table, undefined, RECORDS))
      for (const record of page) calls.push(...callsIn(record, written, samples));
    return calls;
  }
}

const told = ({ name, columns }: WrittenFunction, { problems }: MergeCheck): RefusedReason[] =>
  problems.map(({ code, detail, example }) => ({
    code: `merge_${code}`,
    detail: `${columns.join(', ')}: the function ${name} ${detail}`,
    cure:
      example.length === 0 ? 'mend the function' : `mend the function; a counterexample: ${JSON.stringify(example)}`,
  }));

const isInSql = (policy: ColumnPolicy): policy is Extract<ColumnPolicy, { source: string }> =>
  typeof policy === 'object' && 'source' in policy && policy.language === 'sql';

function functionsIn({ columns }: TablePolicy): WrittenFunction[] {
  const byText = new Map<string, WrittenFunction>();
  for (const [column, policy] of Object.entries(columns)) {
    if (typeof policy === 'string' || !('source' in policy)) continue;
    const { language, source } = policy;
    const name = policy.policy.slice('merge:'.length);
    const id = JSON.stringify(policy);
    const known = byText.get(id);
    byText.set(id, { name, version: byText.size + 1, language, source, columns: [...(known?.columns ?? []), column] });
  }
  return [...byText.values()];
}

function callsIn(record: ConflictRecord, written: WrittenFunction, samples: MergeSamples): MergeCall[] {
  const wrote = record.versions.filter(({ values }) => written.columns.every((c) => Object.hasOwn(values, c)));
  if (wrote.length < 2) return [];
  const base = written.columns.every((c) => Object.hasOwn(record.base ?? {}, c)) ? record.base : null;
  const call = callOf(written, samples, written.columns, base, []);
  const versions = wrote.map(({ origin, stamp, wall, values }): MergeVersion => ({
    origin,
    stamp,
    wall,
    values: onlyColumns(values, written.columns),
  }));
  return [{ ...call, key: record.key, base: base && onlyColumns(base, written.columns), versions }];
}

const callOf = (
  { name, version }: MergeFunctionRef,
  { table }: { readonly table: TableName },
  columns: readonly string[],
  base: Values | null,
  values: readonly Values[],
): MergeCall => ({
  ...{ function: { name, version }, table, key: '[""]' as MergeCall['key'], columns, base },
  versions: values.map((of) => ({
    origin: 'us' as MergeVersion['origin'],
    stamp: '0',
    wall: '1970-01-01T00:00:00.000000Z',
    values: of,
  })),
});
