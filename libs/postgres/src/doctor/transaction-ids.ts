import type { ClientBase } from 'pg';
import { finding, type Finding } from './finding.js';

interface Aged {
  readonly name: string;
  readonly age: number;
}

/** Partitions by themselves, for each is vacuumed by itself; multixacts are of rows that several transactions locked at once. */
const AGED = /* sql */ `
SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name, greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) AS age
  FROM (SELECT to_regclass(rel) AS oid FROM meridian.enrolled_table
        UNION SELECT oid FROM pg_class WHERE relnamespace = 'meridian'::regnamespace AND relkind IN ('r', 'p')) t
 CROSS JOIN LATERAL (SELECT t.oid AS relid UNION SELECT relid FROM pg_partition_tree(t.oid)) p
  JOIN pg_class c ON c.oid = p.relid AND c.relkind = 'r'
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) > $1
 ORDER BY age DESC, name`;

/** Tables whose rows hold transaction ids so old that the server will soon have none left to give. */
export async function agingFindings(client: ClientBase, oldAge: number): Promise<Finding[]> {
  const { rows } = await client.query<Aged>(AGED, [oldAge]);
  return rows.map(({ name, age }) =>
    finding(
      'warning',
      'transaction_ids_old',
      name,
      `its oldest row is ${age} transactions old, and autovacuum has not come by`,
      'freeze it; if this stays, somebody holds old rows back: an idle or prepared transaction, or a replication slot',
      {
        meaning: 'at some 2,000 million the server takes no more writes: none of users, and none that are applied',
        sql: [`VACUUM (FREEZE) ${name}`],
      },
    ),
  );
}
