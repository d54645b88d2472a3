import { columnPairs } from './column-pairs.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** Columns that, by their names, are one thing, and are decided apart. */
export function groups({ table, resolved, policy }: Examined): TableFinding[] {
  if (resolved === null) return [];
  const { registers } = resolved.spec;
  const decided = registers.flatMap((r) => r.columns);
  return columnPairs(decided)
    .filter((pair) => !registers.some((r) => pair.every((name) => r.columns.includes(name))))
    .map((pair) => ({
      code: 'group_suggested',
      severity: 'hint',
      subject: `${table.name} (${pair.join(', ')})`,
      message: 'by their names these columns belong together, and they are decided each by itself',
      meaning: `two regions that change both at once may end with ${pair[0]} of one and ${pair[1]} of the other`,
      cure: {
        text: `a group in its policy: PUT /v1/tables/${encodeURIComponent(table.name)} with "groups": ${JSON.stringify([...groupsOf(policy), pair])}`,
      },
    }));
}

const groupsOf = (policy: unknown): readonly unknown[] => {
  const given = (policy as { groups?: unknown } | null)?.groups;
  return Array.isArray(given) ? given : [];
};
