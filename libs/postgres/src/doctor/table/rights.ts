import type { ClientBase } from 'pg';
import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** What keeps the service's own role, or apply's, from the table's rows; beside what enrolling refuses. */
export async function rights(client: ClientBase, examined: Examined): Promise<TableFinding[]> {
  return [...ownRights(examined), ...(await applyRights(client, examined))];
}

function ownRights({ table, facts }: Examined): TableFinding[] {
  const found: TableFinding[] = [];
  if (!facts.schemaUsable)
    found.push({
      ...{ code: 'schema_not_usable', severity: 'error', subject: table.name },
      message: `the service's role, ${facts.me}, may not use the schema ${ident(table.schema)}`,
      meaning: 'it can neither make capture for the table nor compare its rows between regions',
      cure: {
        text: "as the schema's owner, in every region",
        sql: [`GRANT USAGE ON SCHEMA ${ident(table.schema)} TO ${facts.me}`],
      },
    });
  if (facts.hidesRows && table.owned)
    found.push({
      ...{ code: 'row_security_forced', severity: 'error', subject: table.name },
      message: `row security holds for its owner, too: ${facts.me} sees only the rows that the policies let it see`,
      meaning:
        'rows that it does not see are neither compared nor copied when the table is enrolled: regions are taken for equal that are not',
      cure: {
        text: 'let it hold for all but the owner; or give the role BYPASSRLS, as an administrator',
        sql: [`ALTER TABLE ${table.name} NO FORCE ROW LEVEL SECURITY`],
        alternatives: [{ text: 'as an administrator', sql: [`ALTER ROLE ${facts.me} BYPASSRLS`] }],
      },
    });
  return found;
}

const LACKING = /* sql */ `
SELECT r.name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r(name)
 WHERE NOT has_table_privilege($1::name, $2::oid, r.name)`;

/** Given when the table is enrolled, and taken away when that ends. */
async function applyRights(client: ClientBase, { table, place, enrolled }: Examined): Promise<TableFinding[]> {
  if (enrolled === undefined) return [];
  const { rows } = await client.query<{ name: string }>(LACKING, [place.applyRole, table.oid]);
  if (rows.length === 0) return [];
  const lacking = rows.map((r) => r.name).join(', ');
  return [
    {
      ...{ code: 'table_rights', severity: 'error', subject: table.name },
      message: `${place.applyRole}, as which changes are applied, lacks ${lacking} on it`,
      meaning: 'its changes cannot be applied here: they wait',
      cure: {
        text: "as the table's owner, in this region",
        sql: [`GRANT ${lacking} ON ${table.name} TO ${ident(place.applyRole)}`],
      },
    },
  ];
}
