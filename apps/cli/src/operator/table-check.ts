import { readFileSync } from 'node:fs';
import { type TableCheck, TABLE_SEVERITIES } from '@meridian/contract';
import { call, type Connection } from './rest.js';
import { printIndented, say } from './statement-output.js';
import { printJson } from './table-output.js';

export interface CheckOptions extends Connection {
  readonly output: string;
  readonly policy?: string;
}

/** Resolves to the exit status: 1 when something is in error. */
export async function checkTable(table: string, options: CheckOptions): Promise<number> {
  const path = `/v1/tables/${encodeURIComponent(table)}/check${queryOf(options)}`;
  const check = await call<TableCheck>(options, 'GET', path);
  if (options.output === 'json') printJson(check);
  else print(check);
  return check.items.some((f) => f.severity === 'error') ? 1 : 0;
}

function queryOf({ policy }: CheckOptions): string {
  if (policy === undefined) return '';
  const text = readFileSync(policy, 'utf8');
  return `?policy=${encodeURIComponent(JSON.stringify(JSON.parse(text)))}`;
}

function print({ table, region, state, items }: TableCheck): void {
  const counts = TABLE_SEVERITIES.map(
    (severity) => `${items.filter((f) => f.severity === severity).length} ${severity}`,
  );
  say(`${table}, seen from ${region}: ${STATES[state]}; ${counts.join(', ')}`);
  for (const { severity, subject, code, message, meaning, cure } of items) {
    say(`\n${severity.toUpperCase()} ${subject} (${code})\n  ${message}\n  So: ${meaning}\n  → ${cure.text}`);
    printIndented(cure.sql ?? []);
    for (const { text, sql } of cure.alternatives ?? []) {
      say(`  or: ${text}`);
      printIndented(sql);
    }
  }
}

export const STATES: Readonly<Record<TableCheck['state'], string>> = {
  enrolled: 'enrolled',
  waiting: 'enrolled, waits',
  can_be_enrolled: 'can be enrolled',
  refused: 'cannot be enrolled',
};
