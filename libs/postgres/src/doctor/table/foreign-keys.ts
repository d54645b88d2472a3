import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** Tables that refer to this one and do not replicate, and foreign keys that apply has to look along without an index. */
export function foreignKeys(examined: Examined): TableFinding[] {
  return [...outsideReferrers(examined), ...unindexed(examined)];
}

function outsideReferrers({ table, enrolledTables }: Examined): TableFinding[] {
  return table.referrers
    .filter((r) => !enrolledTables.has(r.table))
    .map((r) => ({
      code: 'referrer_not_enrolled',
      severity: 'warning',
      subject: r.table,
      message: `it refers to ${table.name} by "${r.constraint}", and is not enrolled: other regions do not know its rows`,
      meaning: `a delete that arrives for a row to which it refers waits, and with it all changes of ${table.name}`,
      cure: {
        text: `enrol it, once ${table.name} is: PUT /v1/tables/${encodeURIComponent(r.table)}`,
        alternatives: [
          {
            text: 'do without the foreign key, in every region',
            sql: [`ALTER TABLE ${r.table} DROP CONSTRAINT ${ident(r.constraint)}`],
          },
        ],
      },
    }));
}

function unindexed({ facts }: Examined): TableFinding[] {
  return facts.unindexed.map(({ table, columns }) => ({
    code: 'foreign_key_without_index',
    severity: 'hint',
    subject: `${table} (${columns.join(', ')})`,
    message: 'no index begins with the columns of this foreign key',
    meaning: 'to apply a delete of a parent, all rows are read to see whether one refers to it',
    cure: {
      text: 'an index, in every region',
      sql: [`CREATE INDEX ON ${table} (${columns.map(ident).join(', ')})`],
    },
  }));
}
