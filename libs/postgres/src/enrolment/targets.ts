import type { RegionId, TableName, TableSpec } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { foreignKey } from '../catalog/key-policies.js';
import { parsePolicyDocument, type PolicyDocument } from '../catalog/policy-document.js';
import { readTableNamed } from '../catalog/read-table.js';
import { isCapturable } from '../catalog/table-problems.js';
import type { CaptureTarget } from '../capture/capture-target.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { differenceOf } from './agreement.js';
import { presentSpec } from './present-spec.js';
import { type EnrolledTable, readEpochs } from './stored-table.js';

export interface Place {
  readonly region: RegionId;
  readonly applyRole: string;
}

export interface Resolution {
  readonly target: CaptureTarget;
  readonly document: PolicyDocument;
}

/** `spec` names only foreign keys to enrolled parents: of others no region knows the rows. */
export function targetOf(
  table: CatalogTable,
  spec: TableSpec,
  document: PolicyDocument,
  place: Place,
  epochs: ReadonlyMap<TableName, number>,
): CaptureTarget {
  const known = new Map(epochs).set(spec.name, spec.epoch);
  const wall = document.policy.kind === 'lww' ? document.policy.column : null;
  return {
    ...place,
    table,
    granularity: document.granularity,
    spec: { ...spec, foreignKeys: spec.foreignKeys.filter((key) => known.has(key.parent)) },
    wallColumn: table.columns.some((c) => c.name === wall) ? wall : null,
    epochs: known,
  };
}

/** An enrolled table as it is here now. */
export interface Present {
  /** What captures it; null: it is gone, or what is there under its name cannot be captured. */
  readonly capture: { readonly target: CaptureTarget; readonly spec: StoredSpec } | null;
  /** {@link differenceOf} what the regions agreed on. */
  readonly differs: string | null;
}

/** `parent`: has just been enrolled; the foreign keys to it that the table has now are agreed on with it. */
export async function presentTable(
  client: ClientBase,
  enrolled: EnrolledTable,
  place: Place,
  parent?: TableName,
): Promise<Present> {
  const table = await readTableNamed(client, enrolled.name);
  const { document } = parsePolicyDocument(enrolled.policy);
  if (document === null) throw new Error(`the policy of ${enrolled.name} is none: ${JSON.stringify(enrolled.policy)}`);
  const epochs = await readEpochs(client);
  const known = table === null ? enrolled.spec : presentSpec(enrolled.spec, table, document);
  const agreed = table === null || parent === undefined ? known : withKeysTo(parent, known, table, document);
  const spec = { ...agreed, foreignKeys: agreed.foreignKeys.filter((key) => epochs.has(key.parent)) };
  const differs = differenceOf(spec, table, document, new Set(epochs.keys()));
  if (table === null || !isCapturable(table, spec.keyColumns)) return { capture: null, differs };
  return { capture: { target: targetOf(table, spec, document, place, epochs), spec }, differs };
}

const withKeysTo = (
  parent: TableName,
  spec: StoredSpec,
  table: CatalogTable,
  document: PolicyDocument,
): StoredSpec => ({
  ...spec,
  foreignKeys: [
    ...spec.foreignKeys.filter((key) => key.parent !== parent),
    ...table.foreignKeys.filter((key) => key.parent === parent).map((key) => foreignKey(table, document, key, [])),
  ],
});
