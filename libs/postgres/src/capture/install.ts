import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { CatalogTable, TreeRelation } from '../catalog/catalog-table.js';
import { literal, qualified } from '../catalog/quoting.js';
import {
  CAPTURED,
  type Captured,
  type CaptureTarget,
  functionName,
  isNumbered,
  triggerName,
} from './capture-target.js';
import { deleteCapture } from './delete.sql.js';
import { insertCapture } from './insert.sql.js';
import { dropGuard, partitionGuard } from './partition-guard.js';
import { truncateCapture } from './truncate.sql.js';
import { updateCapture } from './update.sql.js';

const FUNCTIONS: Readonly<Record<Captured, (target: CaptureTarget) => string>> = {
  insert: insertCapture,
  update: updateCapture,
  delete: deleteCapture,
  truncate: truncateCapture,
};
const NUMBER_TRIGGER = 'meridian_number';

/** The generated functions of one table. */
export const functionsSql = (target: CaptureTarget): string =>
  CAPTURED.map((op) => `${FUNCTIONS[op](target)};`).join('\n\n');

export const triggersSql = (target: CaptureTarget): string =>
  [...target.table.tree.flatMap((relation) => triggersOf(target, relation)), ...partitionGuard(target)]
    .map((sql) => `${sql};`)
    .join('\n');

/** Of all that is generated: kept with the installed functions, so that drift shows by comparing. */
export const captureDigest = (target: CaptureTarget): string =>
  createHash('sha256').update(functionsSql(target)).update(triggersSql(target)).digest('hex').slice(0, 16);

/** One message, hence one round trip; in one transaction it replaces what was there. */
export const installCapture = async (client: ClientBase, target: CaptureTarget): Promise<void> =>
  void (await client.query([functionsSql(target), comments(target), triggersSql(target)].join('\n')));

/**
 * The functions only: all that a new policy or another parent changes. A trigger would need a lock on the table that waits for
 * its writers.
 */
export const replaceFunctions = async (client: ClientBase, target: CaptureTarget): Promise<void> =>
  void (await client.query([functionsSql(target), comments(target)].join('\n')));

const comments = (target: CaptureTarget): string =>
  CAPTURED.map((op) => {
    const { name } = target.spec;
    return `COMMENT ON FUNCTION ${functionName(name, op)}() IS ${literal(`captures ${op} on ${name} (${captureDigest(target)})`)};`;
  }).join('\n');

/** Takes capture off these relations, given as SQL. */
export const dropTriggers = async (client: ClientBase, relations: readonly string[]): Promise<void> =>
  void (await client.query(relations.flatMap(dropTriggersOf).join('\n')));

const dropTriggersOf = (relation: string): string[] =>
  [...CAPTURED.map(triggerName), NUMBER_TRIGGER].map((trigger) => `DROP TRIGGER IF EXISTS ${trigger} ON ${relation};`);

export async function dropCapture(client: ClientBase, table: CatalogTable): Promise<void> {
  const triggers = table.tree.flatMap(({ schema, relation }) => dropTriggersOf(qualified(schema, relation)));
  const functions = CAPTURED.map((op) => `DROP FUNCTION IF EXISTS ${functionName(table.name, op)}();`);
  await client.query([...triggers, ...dropGuard(table.tree[0]!), ...functions].join('\n'));
}

/**
 * ENABLE ALWAYS, for a writer may set session_replication_role. On each relation of a partitioned table: a statement fires the
 * triggers of the one that it names.
 */
function triggersOf(target: CaptureTarget, relation: TreeRelation): string[] {
  const on = qualified(relation.schema, relation.relation);
  const unlessApply = `WHEN (session_user <> ${literal(target.applyRole)}) `;
  const create = (trigger: string, when: string, execute: string, unless = ''): string[] => [
    `CREATE OR REPLACE TRIGGER ${trigger} ${when} FOR EACH STATEMENT ${unless}EXECUTE FUNCTION ${execute}()`,
    `ALTER TABLE ONLY ${on} ENABLE ALWAYS TRIGGER ${trigger}`,
  ];
  const capture = (op: Captured, when: string): string[] =>
    create(triggerName(op), when, functionName(target.spec.name, op));
  return [
    ...capture('insert', `AFTER INSERT ON ${on} REFERENCING NEW TABLE AS new_rows`),
    ...capture('update', `AFTER UPDATE ON ${on} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows`),
    ...capture('delete', `AFTER DELETE ON ${on} REFERENCING OLD TABLE AS old_rows`),
    ...(relation.leaf ? capture('truncate', `BEFORE TRUNCATE ON ${on}`) : []),
    ...(isNumbered(target)
      ? create(NUMBER_TRIGGER, `BEFORE INSERT OR UPDATE OR DELETE ON ${on}`, 'meridian.number_statement', unlessApply)
      : [`DROP TRIGGER IF EXISTS ${NUMBER_TRIGGER} ON ${on}`]),
  ];
}
