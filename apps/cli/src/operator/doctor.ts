import { type Diagnosis, SEVERITIES } from '@meridian/contract';
import { call, type Connection } from './rest.js';
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
  for (const { severity, about, code, detail, cure } of items) {
    say(`\n${severity.toUpperCase()} ${about} (${code})\n  ${detail}`);
    if (cure !== null) say(`  → ${cure}`);
  }
  say('');
  printColumns(
    ['TABLE', 'STATE', 'WHY NOT'],
    tables.map(({ table, state, reasons }) => [table, STATES[state], reasons.map((r) => r.detail).join('; ')]),
  );
  for (const { table, state, reasons } of tables)
    if (state === 'refused') for (const { cure } of reasons) say(`${table} → ${cure}`);
}

const STATES: Readonly<Record<Diagnosis['tables'][number]['state'], string>> = {
  enrolled: 'enrolled',
  waiting: 'enrolled, waits',
  can_be_enrolled: 'can be enrolled',
  refused: 'cannot be enrolled',
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
