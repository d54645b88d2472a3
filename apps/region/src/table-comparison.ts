import type { TableCheck as CheckAnswer, TableFinding } from '@meridian/contract';
import type { RegionId, TableRef } from '@meridian/core';
import { type Doctor, shapeDifferences, type TableCheck, type TableShape } from '@meridian/postgres';
import type { PeerAnswer, PeerCall, PeerClient } from '@meridian/transport';
import { z } from 'zod';

export const SHAPE_PATH = '/v1/replication/tables/shape';

/** What another region has under a table's name; null: nothing. */
export type ShapeSource = (region: RegionId, table: TableRef) => Promise<TableShape | null>;

export const shapesOfPeers =
  (client: PeerClient): ShapeSource =>
  async (region, table) => {
    const { status, body } = await client.call(region, 'POST', SHAPE_PATH, table);
    if (status === 200) return body as TableShape | null;
    throw new Error((body as { detail?: string } | null)?.detail ?? `it answers with status ${status}`);
  };

const Table = z.strictObject({ schema: z.string().min(1), name: z.string().min(1) });

/** The called side. */
export const answerShapeCall = async (doctor: Pick<Doctor, 'shapeOf'>, call: PeerCall): Promise<PeerAnswer> => ({
  status: 200,
  body: await doctor.shapeOf(Table.parse(call.body)),
});

type Checked = Pick<CheckAnswer, 'table' | 'state' | 'items'>;

/** A table as this region finds it, and how it differs in the others. */
export class TableComparison {
  constructor(
    private readonly region: RegionId,
    private readonly doctor: Pick<Doctor, 'checkTable'>,
    private readonly peers: readonly RegionId[],
    private readonly shapeIn: ShapeSource,
  ) {}

  async check(table: TableRef, policy?: object): Promise<Checked | null> {
    const [here, ...others] = await Promise.all([
      this.doctor.checkTable(table, policy),
      ...this.peers.map((region) => this.ask(region, table)),
    ]);
    if (here === null) return missingHere(this.region, others);
    const compared = others.flatMap((other) => this.compare(here, other));
    const state = here.state === 'can_be_enrolled' && compared.some(isError) ? 'refused' : here.state;
    return { table: here.table, state, items: [...here.findings.map(answered), ...compared] };
  }

  private async ask(region: RegionId, table: TableRef): Promise<Asked> {
    try {
      return { region, shape: await this.shapeIn(region, table), failure: null };
    } catch (error) {
      return { region, shape: null, failure: error };
    }
  }

  private compare({ table, shape }: TableCheck, { region, shape: theirs, failure }: Asked): TableFinding[] {
    if (failure !== null) return [notAsked(region, failure)];
    if (shape === null) return [];
    if (theirs === null) return [missing(table, region, this.region)];
    return shapeDifferences({ region: this.region, shape }, { region, shape: theirs }).map(answered);
  }
}

interface Asked {
  readonly region: RegionId;
  readonly shape: TableShape | null;
  readonly failure: unknown;
}

type Found = TableCheck['findings'][number];

const answered = ({ cure: { text, sql, alternatives }, ...found }: Found): TableFinding => ({
  ...found,
  cure: {
    text,
    ...(sql === undefined ? {} : { sql: [...sql] }),
    ...(alternatives === undefined
      ? {}
      : { alternatives: alternatives.map((a) => ({ text: a.text, sql: [...a.sql] })) }),
  },
});

const isError = ({ severity }: TableFinding): boolean => severity === 'error';

function missingHere(region: RegionId, others: readonly Asked[]): Checked | null {
  const there = others.find((o) => o.shape !== null);
  if (there === undefined) return null;
  const { name } = there.shape!;
  return { table: name, state: 'refused', items: [missing(name, region, there.region)] };
}

const missing = (table: string, region: RegionId, has: RegionId): TableFinding => ({
  ...{ code: 'table_missing', severity: 'error', subject: `${table} in ${region}` },
  message: `${has} has this table, and ${region} has not`,
  meaning: 'a table is enrolled in all regions or in none; of an enrolled one, changes wait where it is not there',
  cure: { text: `make it in ${region} as it is in ${has}: pg_dump --schema-only --table='${table}' tells how` },
});

const notAsked = (region: RegionId, failure: unknown): TableFinding => ({
  ...{ code: 'region_not_compared', severity: 'warning', subject: `region ${region}` },
  message: `it could not be asked: ${(failure as Error).message}`,
  meaning: 'whether the table differs there is not known, and nothing can be enrolled until it answers',
  cure: { text: `bring ${region} up, then check again` },
});
