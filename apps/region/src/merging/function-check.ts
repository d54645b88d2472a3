import type { RefusedReason } from '@meridian/api';
import type { TablePolicy } from '@meridian/contract';
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
import { checkMerge, MergeSandbox, type MergeSamples } from '@meridian/merge-sandbox';
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
        reasons.push(
          ...(written.language === 'sql'
            ? await this.sqlProblems(written, samples)
            : await this.sandboxProblems(sandbox, written, {
                ...samples,
                recorded: await this.recorded(written, samples),
              })),
        );
      }
      return reasons;
    } finally {
      await sandbox.close();
    }
  }

  /** Those that do not even parse, or that are not there: nothing is called. */
  async unusable(table: TableRef, policy: TablePolicy): Promise<readonly RefusedReason[]> {
    const functions = functionsIn(policy);
    const found = functions.length === 0 ? null : await this.catalogTable(table);
    if (found === null) return [];
    const sandbox = new MergeSandbox();
    try {
      const reasons: RefusedReason[] = [];
      for (const written of functions)
        reasons.push(
          ...(written.language === 'sql'
            ? await this.sqlProblems(written, { table: found.name })
            : await compileProblems(sandbox, written)),
        );
      return reasons;
    } finally {
      await sandbox.close();
    }
  }

  private async sandboxProblems(
    sandbox: MergeSandbox,
    written: WrittenFunction,
    samples: MergeSamples,
  ): Promise<RefusedReason[]> {
    const { problems } = await checkMerge(sandbox, written, samples);
    return problems.map(({ code, detail, example }) => ({
      code: `merge_${code}`,
      detail: `${written.columns.join(', ')}: the function ${written.name} ${detail}`,
      cure:
        example.length === 0 ? 'mend the function' : `mend the function; a counterexample: ${JSON.stringify(example)}`,
    }));
  }

  private async sqlProblems(written: WrittenFunction, samples: Pick<MergeSamples, 'table'>): Promise<RefusedReason[]> {
    const nulls: Values = Object.fromEntries(written.columns.map((column) => [column, null]));
    const call = callOf({ name: written.source, version: 1 }, samples, written.columns, null, [nulls]);
    const [outcome] = await this.sql.run([call]);
    if (outcome?.kind !== 'failed' || outcome.because !== 'unknown function') return [];
    return [
      {
        code: 'merge_unknown_function',
        detail: `${written.columns.join(', ')}: ${outcome.detail}`,
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

async function compileProblems(sandbox: MergeSandbox, written: WrittenFunction): Promise<RefusedReason[]> {
  const compiled = await sandbox.compile(written.name, written.version, written.source);
  if (compiled.kind === 'compiled') return [];
  const detail = `${written.columns.join(', ')}: the function ${written.name} cannot be used (${compiled.because}): ${compiled.detail}`;
  return [{ code: 'merge_not_compiled', detail, cure: 'mend the function' }];
}

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
