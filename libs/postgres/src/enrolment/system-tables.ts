import type { RegionId, TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import { readTable } from '../catalog/read-table.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import { hasDrifted } from '../capture/drift.js';
import { installCapture } from '../capture/install.js';
import { storedSpec, storeEnrolled } from './stored-table.js';
import { inTransaction } from './transaction.js';

/** Meridian's own replicated tables: each row is one thing, decided whole. */
const SYSTEM_TABLES = ['conflict', 'idempotency', 'decision', 'triage', 'share'];
const POLICY = { granularity: 'row' };

/** Looked at at every start, so that a newer version's generator reaches them too; installing would wait for apply's writes. */
export async function prepareSystemTables(client: ClientBase, region: RegionId, applyRole: string): Promise<void> {
  for (const name of SYSTEM_TABLES)
    await inTransaction(client, async () => {
      const table = (await readTable(client, { schema: 'meridian', name }))!;
      const { spec, document, problems } = resolvePolicy(POLICY, table, 1);
      if (spec === null) throw new Error(`meridian.${name}: ${problems.map((p) => p.message).join('; ')}`);
      const { granularity } = document;
      const target = {
        table,
        spec,
        granularity,
        wallColumn: null,
        region,
        applyRole,
        epochs: new Map<TableName, number>(),
      };
      if (!(await hasDrifted(client, target))) return;
      await installCapture(client, target);
      await storeEnrolled(client, storedSpec(spec, table), document);
    });
}
