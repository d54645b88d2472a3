import { createHash } from 'node:crypto';
import { namesParent } from '../catalog/foreign-key-problems.js';
import { type Granularity, type RegionId, type TableName, type TableSpec, touchesParent } from '@meridian/core';
import type { CatalogColumn, CatalogForeignKey, CatalogTable } from '../catalog/catalog-table.js';

/** All that the generated SQL of one table depends on. */
export interface CaptureTarget {
  readonly table: CatalogTable;
  readonly spec: TableSpec;
  readonly granularity: Granularity;
  /** The column that each change of the table carries as its wall (table-wide lww by a column); null: the clock. */
  readonly wallColumn: string | null;
  readonly region: RegionId;
  readonly applyRole: string;
  /** Epochs of the enrolled tables: a touch of a parent carries the parent's epoch. */
  readonly epochs: ReadonlyMap<TableName, number>;
}

export const CAPTURED = ['insert', 'update', 'delete', 'truncate'] as const;
export type Captured = (typeof CAPTURED)[number];

/** Not the table's own name: that may be longer than an identifier, and is shown by the function's comment. */
export const functionName = (table: TableName, op: Captured): string =>
  `meridian.capture_${createHash('sha256').update(table).digest('hex').slice(0, 12)}_${op}`;

export const triggerName = (op: Captured): string => `meridian_${op}`;

export const isPartitioned = ({ table }: CaptureTarget): boolean => !table.tree[0]!.leaf;

/**
 * Does the statement's number have to be logged? Where others may write to the table before its own statement is logged; and
 * where a row has to be told from one that was written straight to a partition.
 */
export const isNumbered = (target: CaptureTarget): boolean =>
  target.table.nestedWriters.length > 0 || isPartitioned(target);

export const shippedColumns = (target: CaptureTarget): readonly CatalogColumn[] =>
  target.table.columns.filter((c) => !c.generated);

export const columnOf = (target: CaptureTarget, name: string): CatalogColumn =>
  target.table.columns.find((c) => c.name === name)!;

export const keyOf = (target: CaptureTarget): readonly CatalogColumn[] =>
  target.spec.keyColumns.map((name) => columnOf(target, name));

/**
 * Foreign keys that keep their parents, so that setting one touches the parent: of those that the regions have agreed on, and to
 * enrolled tables. One that came later may not name its parent.
 */
export const touchingKeys = ({ table, spec, epochs }: CaptureTarget): readonly CatalogForeignKey[] =>
  table.foreignKeys.filter((f) => {
    const agreed = spec.foreignKeys.find((key) => key.name === f.name);
    return epochs.has(f.parent) && f.parentKey.length > 0 && namesParent(f) && touchesParent(agreed ?? {});
  });
