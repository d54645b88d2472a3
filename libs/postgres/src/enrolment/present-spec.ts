import type { ForeignKey, Register, TableSpec, UniqueKey } from '@meridian/core';
import type { CatalogTable } from '../catalog/catalog-table.js';
import type { PolicyDocument } from '../catalog/policy-document.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { storedSpec } from './stored-table.js';

/**
 * What the regions agreed on when the table was enrolled, in the columns that it has here now. Only that: no key and no group
 * comes or goes by what one region did to its table, for regions that decide by different rules end in different states. A new
 * column is a register of its own (by row: part of the one), which is the same in whatever order regions get it.
 */
export function presentSpec(agreed: StoredSpec, table: CatalogTable, document: PolicyDocument): StoredSpec {
  const names = presentNames(agreed, table);
  const rename = (columns: readonly string[]): string[] => columns.map((name) => names.get(name) ?? name);
  const replicated = table.columns.filter((c) => !c.generated).map((c) => c.name);
  const there = (columns: readonly string[]): string[] => rename(columns).filter((name) => replicated.includes(name));
  const keyColumns = rename(agreed.keyColumns);
  const counters = there(agreed.counters);
  const present = (registers: readonly Register[]): Register[] =>
    registers.map(({ columns, policy }) => ({
      columns: there(columns),
      policy: presentPolicy(policy, names, replicated),
    }));
  const kept = present(agreed.registers);
  const known = new Set([...keyColumns, ...counters, ...kept.flatMap((r) => r.columns)]);
  const added = replicated.filter((name) => !known.has(name));
  const spec: TableSpec = {
    ...{ name: agreed.name, keyColumns, counters, delete: agreed.delete, epoch: agreed.epoch },
    ...(agreed.bounded === undefined
      ? {}
      : { bounded: agreed.bounded.flatMap((b) => there([b.column]).map((column) => ({ ...b, column }))) }),
    registers: withAdded(kept, added, document).filter((r) => r.columns.length > 0),
    uniqueKeys: agreed.uniqueKeys.map((key): UniqueKey => ({ ...key, columns: rename(key.columns) })),
    foreignKeys: agreed.foreignKeys.map((key): ForeignKey => ({ ...key, columns: rename(key.columns) })),
    renamed: renamedColumns(agreed, names, replicated),
    agreed: rename(agreed.agreed),
    earlier: (agreed.earlier ?? []).map((policy) => ({ ...policy, registers: present(policy.registers) })),
  };
  const missing = [...agreed.missing, ...agreed.columns.filter((c) => !c.generated).map((c) => c.name)].filter(
    (name) => !replicated.includes(names.get(name) ?? name),
  );
  return { ...storedSpec(spec, table), missing: [...new Set(missing)] };
}

/** Those of before and of now, as far as nothing else has taken the old name. */
function renamedColumns(agreed: StoredSpec, names: ReadonlyMap<string, string>, there: readonly string[]) {
  const all = [...agreed.renamed.map(([old, name]) => [old, names.get(name) ?? name] as const), ...names];
  return all.filter(([old, name]) => old !== name && !there.includes(old));
}

/** By the columns' numbers; of a table that was made anew, by name. */
function presentNames(agreed: StoredSpec, table: CatalogTable): ReadonlyMap<string, string> {
  if (agreed.oid !== table.oid) return new Map();
  const byNumber = new Map(table.columns.map((c) => [c.number, c.name]));
  return new Map(agreed.columns.flatMap((c) => (byNumber.has(c.number) ? [[c.name, byNumber.get(c.number)!]] : [])));
}

/** Each version carries the wall that it is ranked by: where lww's column is gone, that is the clock from here on. */
function presentPolicy(
  policy: Register['policy'],
  names: ReadonlyMap<string, string>,
  there: readonly string[],
): Register['policy'] {
  if (policy.kind !== 'lww' || policy.column === null) return policy;
  const column = names.get(policy.column) ?? policy.column;
  return { kind: 'lww', column: there.includes(column) ? column : null };
}

function withAdded(kept: readonly Register[], added: readonly string[], document: PolicyDocument): Register[] {
  if (added.length === 0) return [...kept];
  const [first, ...rest] = kept;
  if (document.granularity === 'row' && first !== undefined)
    return [{ ...first, columns: [...first.columns, ...added] }, ...rest];
  const policy = document.policy;
  if (document.granularity === 'row') return [{ columns: added, policy }];
  return [...kept, ...added.map((name) => ({ columns: [name], policy }))];
}
