import { type Diagnosis, SEVERITIES } from '@meridian/contract';
import { call, type Connection } from './rest.js';
import { printIndented, say } from './statement-output.js';
import { STATES } from './table-check.js';
import { printColumns, printJson } from './table-output.js';

/** Resolves to the exit status: 1 when something is in error. */
export async function doctor(options: Connection & { readonly output: string }): Promise<number> {
  const diagnosis = await call<Diagnosis>(options, 'GET', '/v1/diagnosis');
  if (options.output === 'json') printJson(diagnosis);
  else print(diagnosis);
  return diagnosis.items.some((f) => f.severity === 'error') ? 1 : 0;
}

function print({ region, items, tables }: Diagnosis): void {
  const counts = SEVERITIES.map((severity) => `${items.filter((f) => f.severity === severity).length} ${severity}`);
  say(`region ${region}: ${counts.join(', ')}`);
  for (const { severity, about, code, detail, cure, meaning, sql } of items) {
    say(`\n${severity.toUpperCase()} ${about} (${code})\n  ${detail}`);
    if (meaning !== undefined) say(`  So: ${meaning}`);
    if (cure !== null) say(`  → ${cure}`);
    // Older cures spell their statements out.
    printIndented((sql ?? []).filter((statement) => !cure?.includes(statement)));
  }
  say('');
  printColumns(
    ['TABLE', 'STATE', 'WHY NOT'],
    tables.map(({ table, state, reasons }) => [table, STATES[state], reasons.map((r) => r.detail).join('; ')]),
  );
  for (const { table, state, reasons } of tables)
    if (state === 'refused') for (const { cure } of reasons) say(`${table} → ${cure}`);
}
