import type { RegionId, TableName, TableSpec } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import type { PolicyDocument } from '../catalog/policy-document.js';
import { readTableNamed } from '../catalog/read-table.js';
import { resolvePolicy } from '../catalog/resolve-policy.js';
import type { CaptureTarget } from '../capture/capture-target.js';
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
  return {
    ...place,
    table,
    spec: { ...spec, foreignKeys: spec.foreignKeys.filter((key) => known.has(key.parent)) },
    wallColumn: document.policy.kind === 'lww' ? document.policy.column : null,
    epochs: known,
  };
}

/** What an enrolled table's capture should be now; null when the table is gone or can no longer be replicated. */
export async function presentTarget(
  client: ClientBase,
  enrolled: EnrolledTable,
  place: Place,
): Promise<Resolution | null> {
  const table = await readTableNamed(client, enrolled.name);
  if (table === null) return null;
  const { spec, document } = resolvePolicy(enrolled.policy, table, enrolled.spec.epoch);
  if (spec === null) return null;
  return { target: targetOf(table, spec, document, place, await readEpochs(client)), document };
}
