import type { CatalogUniqueIndex } from '../../catalog/catalog-table.js';
import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** What happens where two regions give one unique value to two rows: nothing that their writers would notice. */
export function uniqueKeys({ table, resolved }: Examined): TableFinding[] {
  return (resolved?.spec.uniqueKeys ?? []).map(({ name, columns }) => ({
    code: 'unique_key_may_park',
    severity: 'info',
    subject: `${table.name} (${columns.join(', ')})`,
    message: `"${name}" is unique in each region by itself: two regions can give one value to two rows before they hear of each other`,
    meaning:
      'the row that took the value first keeps it, in every region; the other one is parked: out of the table, in the list of ' +
      'conflicts, still taking changes, and back by itself when the value is free; or renamed, without the value, or deleted, as "unique" in the policy says',
    cure: {
      text: `nothing has to be done; a value that a region makes for itself (a UUID, or one that begins with the region's name) is never taken twice. GET /v1/conflicts?table=${encodeURIComponent(table.name)} names parked rows`,
    },
  }));
}

/** The same rows without what cannot be decided: checked at once where that was the matter, else found by an ordinary index. */
export function withoutUniqueKey({ table, facts }: Examined, key: CatalogUniqueIndex): string[] {
  const found = facts.uniqueIndexes.find((i) => i.name === key.name);
  if (found === undefined) return [];
  const drop = found.constraint
    ? `ALTER TABLE ${found.relation} DROP CONSTRAINT ${ident(found.name)}`
    : `DROP INDEX ${found.index}`;
  const constraint = facts.constraints.find((c) => c.name === key.name);
  if (key.deferrable && constraint !== undefined) {
    // Foreign keys hang on a primary key: dropping it would take them along.
    if (key.primary && facts.referring.length > 0) return [];
    const strict = constraint.definition.replace(/\s+DEFERRABLE.*$/s, '');
    return [drop, `ALTER TABLE ${table.name} ADD CONSTRAINT ${ident(key.name)} ${strict}`];
  }
  if (key.primary) return [];
  const plain = found.definition.replace('CREATE UNIQUE INDEX', 'CREATE INDEX').replace(' NULLS NOT DISTINCT', '');
  return [drop, plain];
}
