import {
  cutForTexts,
  type Entry,
  type Enrolments,
  inPresentColumns,
  type RegionId,
  type RowKey,
  type RowRef,
  rowId,
  type TableName,
  type TableSpec,
  textsOf,
  type Vector,
  writesColumn,
  equalVectors,
} from '@meridian/core';
import { LogEntries } from '../apply/log-entries.js';
import type { Session } from '../connection/session.js';
import { aboveCut, type Below } from './drop-below.js';
import type { OwnSnapshots } from './own-snapshots.js';

/**
 * The cut below which nothing is needed by a text any more: of the rows that changed above the stable cut, as far
 * back as their texts go ({@link cutForTexts}).
 */
export async function cutOfTexts(
  session: Session,
  region: RegionId,
  snapshots: OwnSnapshots,
  below: Pick<Below, 'cut' | 'snapshot'>,
): Promise<Vector> {
  const specs = await specsWithTexts(session);
  if (specs.size === 0) return below.cut;
  const rows = await rowsAbove(session, [...specs.keys()], below);
  if (rows.length === 0) return below.cut;
  const log = new LogEntries(session, region, snapshots, await endedEnrolments(session));
  for (let looked = below.cut; ;) {
    const texts = textsIn(await log.above(rows, looked), specs);
    const needed = cutForTexts(below.cut, texts);
    if (equalVectors(needed, looked)) return needed;
    looked = needed;
  }
}

async function specsWithTexts(session: Session): Promise<ReadonlyMap<TableName, TableSpec>> {
  const { rows } = await session.query(`SELECT spec FROM meridian.enrolled_table WHERE spec::text LIKE '%"text"%'`);
  const specs = rows.map(([spec]) => JSON.parse(spec!) as TableSpec).filter((spec) => textsOf(spec).size > 0);
  return new Map(specs.map((spec) => [spec.name, spec]));
}

async function rowsAbove(
  session: Session,
  tables: readonly TableName[],
  below: Pick<Below, 'cut' | 'snapshot'>,
): Promise<readonly RowRef[]> {
  const { rows } = await session.query(
    `SELECT DISTINCT c.rel, c.pk::text FROM meridian.change c WHERE c.rel = ANY ($1) AND (${aboveCut(below)})`,
    [tables],
  );
  return rows.map(([table, key]) => ({ table: table as TableName, key: key as RowKey }));
}

async function endedEnrolments(session: Session): Promise<Enrolments['ended']> {
  const { rows } = await session.query('SELECT rel, max(epoch) FROM meridian.policy_epoch WHERE ended GROUP BY rel');
  return new Map(rows.map(([rel, epoch]) => [rel as TableName, Number(epoch)]));
}

function textsIn(entries: readonly Entry[], specs: ReadonlyMap<TableName, TableSpec>): Entry[][] {
  const texts = new Map<string, Entry[]>();
  for (const logged of entries) {
    const spec = specs.get(logged.table)!;
    const entry = inPresentColumns(logged, spec);
    for (const column of textsOf(spec).keys()) {
      if (!writesColumn(column, entry)) continue;
      const text = `${rowId(entry)}\n${column}`;
      const writers = texts.get(text);
      if (writers === undefined) texts.set(text, [entry]);
      else writers.push(entry);
    }
  }
  return [...texts.values()];
}
