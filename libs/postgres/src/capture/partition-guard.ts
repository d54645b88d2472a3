import type { TreeRelation } from '../catalog/catalog-table.js';
import { literal, qualified } from '../catalog/quoting.js';
import { type CaptureTarget, isPartitioned } from './capture-target.js';

const WRITES = [
  ['insert', 'NEW'],
  ['update', 'NEW'],
  ['delete', 'OLD'],
] as const;
const guardName = (op: string): string => `meridian_partition_${op}`;

/**
 * Row triggers of a partitioned table, which PostgreSQL clones to partitions that come later. Rows of those that are captured
 * pass by the WHEN, which looks the relation up in a hash of them.
 */
export function partitionGuard(target: CaptureTarget): string[] {
  if (!isPartitioned(target)) return [];
  const on = rootOf(target);
  const known = literal(
    `{${target.table.tree
      .filter((r) => r.leaf)
      .map((r) => r.oid)
      .join(',')}}`,
  );
  return WRITES.flatMap(([op, row]) => [
    `CREATE OR REPLACE TRIGGER ${guardName(op)} AFTER ${op.toUpperCase()} ON ${on} FOR EACH ROW ` +
      `WHEN (${row}.tableoid <> ALL (${known}::oid[]) AND session_user <> ${literal(target.applyRole)}) ` +
      'EXECUTE FUNCTION meridian.refuse_uncaptured()',
    `ALTER TABLE ONLY ${on} ENABLE ALWAYS TRIGGER ${guardName(op)}`,
  ]);
}

/** Of the root: its partitions' clones go with it. */
export const dropGuard = (root: TreeRelation): string[] =>
  WRITES.map(([op]) => `DROP TRIGGER IF EXISTS ${guardName(op)} ON ${qualified(root.schema, root.relation)};`);

const rootOf = ({ table }: CaptureTarget): string => qualified(table.tree[0]!.schema, table.tree[0]!.relation);
