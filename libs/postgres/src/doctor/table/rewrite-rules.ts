import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';
import type { Rule } from './table-facts.js';

/** Rules by which PostgreSQL writes something else than what was asked for. */
export const rewriteRules = ({ table, facts }: Examined): TableFinding[] =>
  facts.rules.map((rule) => ({
    code: 'rewrite_rule',
    severity: isInTheWay(rule) ? 'error' : 'warning',
    subject: `${table.name} rule ${ident(rule.name)}`,
    message: `it rewrites each ${rule.on} of the table`,
    meaning: meaningOf(rule),
    cure: {
      text: 'drop it, in every region; a trigger can do the same, and fires where rows are written',
      sql: [`DROP RULE ${ident(rule.name)} ON ${table.name}`],
    },
  }));

/** PostgreSQL takes no INSERT … ON CONFLICT on a table with a rule for UPDATE, whether that would fire or not (seen). */
const isInTheWay = ({ on, enabled }: Rule): boolean => on === 'UPDATE' || enabled !== 'O';

function meaningOf({ on, enabled }: Rule): string {
  if (enabled !== 'O') return 'it holds for what is applied, too: other rows are written than arrived';
  if (on === 'UPDATE')
    return 'PostgreSQL takes no INSERT … ON CONFLICT on such a table, and that is how rows are applied: the table would take no new rows';
  return 'it holds where rows are written, and not where they are applied: what it writes elsewhere travels only if that table is enrolled';
}
