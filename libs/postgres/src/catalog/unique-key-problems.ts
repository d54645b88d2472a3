import type { CatalogTable, CatalogUniqueIndex } from './catalog-table.js';
import { type EnrolmentProblem, problem } from './refusal.js';
import { canBeClaimed } from './value-text.js';

export function uniqueKeyProblems(table: CatalogTable): EnrolmentProblem[] {
  return table.indexes.flatMap((index) => {
    const because = unsupported(index, table);
    if (because === null) return [];
    const cure = index.primary
      ? 'make it an ordinary PRIMARY KEY'
      : 'drop it, or make it an ordinary unique key over columns, in every region';
    return [problem('unsupported_unique_key', `the unique key "${index.name}" ${because}`, cure)];
  });
}

function unsupported(index: CatalogUniqueIndex, table: CatalogTable): string | null {
  if (index.deferrable) return 'is deferrable, which apply cannot check yet';
  if (index.partial) return 'is partial, which is not available yet';
  if (index.expression) return 'is over an expression, which is not available yet';
  if (index.onPartition) return 'is on one partition only';
  if (index.primary) return null;
  const columns = index.columns.map((name) => table.columns.find((c) => c.name === name)!);
  const generated = columns.find((c) => c.generated);
  if (generated !== undefined) return `is over the generated column "${generated.name}"`;
  const inexact = columns.find((c) => !canBeClaimed(c));
  if (inexact !== undefined)
    return `is over "${inexact.name}" (${inexact.type}), whose equal values may differ in their text`;
  return null;
}
