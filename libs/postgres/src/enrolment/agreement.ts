import type { ForeignKey, TableName, TableSpec } from '@meridian/core';
import type { CatalogTable } from '../catalog/catalog-table.js';
import type { PolicyDocument } from '../catalog/policy-document.js';
import { ruleProblems } from '../catalog/table-problems.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';

type Keys = Pick<TableSpec, 'keyColumns' | 'uniqueKeys' | 'foreignKeys'>;

const list = (columns: readonly string[]): string => `(${columns.join(', ')})`;

export const ruleOfForeignKey = ({ columns, parent, parentColumns }: ForeignKey): string =>
  `FOREIGN KEY ${list(columns)} REFERENCES ${parent} ${list(parentColumns)}`;

/** The rules that all regions must decide by, as SQL writes them. Names are left out: an index may be renamed, or built anew. */
export function rulesOf({ keyColumns, uniqueKeys, foreignKeys }: Keys): string[] {
  const rules = [
    `PRIMARY KEY ${list(keyColumns)}`,
    ...uniqueKeys.map((k) => `UNIQUE ${k.nullsDistinct ? '' : 'NULLS NOT DISTINCT '}${list([...k.columns].sort())}`),
    ...foreignKeys.map(ruleOfForeignKey),
  ];
  return [...new Set(rules)].sort();
}

/** Columns that are decided together: by a CHECK, a key, or the policy. */
export const groupsOf = ({ registers }: TableSpec): string[] =>
  registers
    .filter((r) => r.columns.length > 1)
    .map((r) => `(${[...r.columns].sort().join(', ')}) as one group`)
    .sort();

/**
 * How the table here is not what the regions agreed on; null when it is. A rule that one region has and others have not must
 * decide nothing: a unique key made here alone would park rows that show everywhere else. So the table takes no changes until
 * it is again as agreed, or until all regions have agreed anew, under a new epoch of its policy (design 6).
 */
export function differenceOf(
  agreed: StoredSpec,
  table: CatalogTable | null,
  document: PolicyDocument,
  enrolled: ReadonlySet<TableName>,
): string | null {
  if (table === null) return `${agreed.name} is not there any more: make it again as it is in the other regions`;
  const unfit = ruleProblems(table).map((p) => p.message);
  if (unfit.length > 0) return told(agreed.name, unfit);
  const rules = [rulesOf(agreed), rulesOf(presentKeys(table, enrolled))] as const;
  const only = (a: readonly string[], b: readonly string[]): string[] => a.filter((rule) => !b.includes(rule));
  return told(agreed.name, [
    ...only(rules[1], rules[0]).map((rule) => `it has ${rule}, which the regions have not agreed on`),
    ...only(rules[0], rules[1]).map((rule) => `${rule} is missing`),
    ...agreed.missing
      .filter((name) => namedBy(document).has(name))
      .map((name) => `the column "${name}", which its policy names, is missing`),
  ]);
}

const told = (name: TableName, found: readonly string[]): string | null =>
  found.length === 0
    ? null
    : `the table here is not what the regions agreed on: ${found.join('; ')}. Make it so again; or make it alike in all ` +
      `regions, and then let them agree on that: PUT /v1/tables/${name} with its policy`;

const presentKeys = (table: CatalogTable, enrolled: ReadonlySet<TableName>): Keys => ({
  keyColumns: table.keyColumns,
  uniqueKeys: table.indexes.filter((i) => !i.primary),
  foreignKeys: table.foreignKeys.filter((key) => enrolled.has(key.parent)),
});

const namedBy = (document: PolicyDocument): ReadonlySet<string> =>
  new Set([
    ...document.columns.keys(),
    ...[document.policy, ...document.columns.values()].flatMap((p) =>
      p.kind === 'lww' && p.column !== null ? [p.column] : [],
    ),
  ]);
