import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** Functions whose answer depends on who asks, and where. Clocks and randomness are not among them: every call differs. */
const PLACE =
  /\b(?:current_user|session_user|current_role|current_database|current_catalog|current_schema|current_setting|inet_server_addr|inet_server_port|inet_client_addr|pg_backend_pid|version)\b/i;
/** Numbers that each server counts by itself. */
const OWN_COUNT = /\b(?:pg_current_xact_id|txid_current|pg_current_wal_lsn|pg_current_wal_insert_lsn)\b/i;

/** What a default asks its server for; null: nothing that is another one's affair. */
export function asksFor(expression: string): string | null {
  const code = expression.replace(/'(?:[^']|'')*'/g, '');
  return (PLACE.exec(code) ?? OWN_COUNT.exec(code))?.[0] ?? null;
}

/** Defaults that give other values in another region by what they ask. */
export function localDefaults({ table, facts }: Examined): TableFinding[] {
  return facts.expressions.flatMap(({ column, expression, generated }) => {
    const asked = generated ? null : asksFor(expression);
    if (asked === null) return [];
    return [
      {
        ...{ code: 'default_of_its_region', severity: 'info' as const, subject: `${table.name}.${ident(column)}` },
        message: `its default asks ${asked}, which is another in each region: ${expression}`,
        meaning:
          'a row has the value of the region where it was written, everywhere; but ADD COLUMN with such a default fills the rows that are there differently in each region',
        cure: {
          text: 'nothing, if that is meant (a column that tells where a row was written); else without it, in every region',
          sql: [`ALTER TABLE ${table.name} ALTER COLUMN ${ident(column)} DROP DEFAULT`],
        },
      },
    ];
  });
}
