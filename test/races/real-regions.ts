import type { BatchLimit, ConflictRecord } from '@meridian/core';
import { nextEpochs } from '@meridian/postgres';
import { RealRegion } from './real-region.js';

// A database, migrated and captured, takes half a second; several on a busy machine.
/** A row of meridian.conflict. */
type RecordRow = Omit<ConflictRecord, 'table' | 'key'> & { readonly rel: string; readonly pk: string };

/** Regions as databases on the one server of the tests. They live as long as a file; every test has tables of its own. */
export class RealRegions {
  private made = 0;

  private constructor(readonly all: readonly RealRegion[]) {}

  static async open(names: readonly string[], batch: BatchLimit = { ticks: 20, changes: 1_000 }): Promise<RealRegions> {
    return new RealRegions(await Promise.all(names.map((name) => RealRegion.open(name, names, batch))));
  }

  named(name: string): RealRegion {
    return this.all.find((region) => region.name === name)!;
  }

  /** The same tables in every region, by the same DDL; enrolled as a coordinator does that has asked all of them. */
  async enrol(ddl: string, names: readonly string[], policy: object = {}): Promise<void> {
    await Promise.all(this.all.map((region) => region.user.query(ddl)));
    for (const name of names) {
      const epochs = nextEpochs(await Promise.all(this.all.map((region) => region.standing(name, policy))));
      await Promise.all(this.all.map((region) => region.enrol(name, policy, epochs)));
    }
  }

  /** A table with registers x and y and a counter n, under a name of its own. */
  async items(policy: object = {}): Promise<string> {
    const name = `item_${++this.made}`;
    const ddl = `CREATE TABLE ${name} (id int PRIMARY KEY, x text, y text, n int NOT NULL DEFAULT 0)`;
    await this.enrol(ddl, [name], { columns: { n: 'counter' }, ...policy });
    return name;
  }

  /** Everybody cuts, gets everything and sweeps, until nobody has anything to ship (conflict records are shipped too). */
  async exchange(): Promise<void> {
    for (let moved = true; moved;) {
      moved = false;
      for (const region of this.all) moved = (await region.cut()) !== null || moved;
      for (const to of this.all) for (const from of this.all) if (from !== to) to.receive(from);
      for (const region of this.all) moved = (await region.apply()) || moved;
      for (const region of this.all) moved = ((await region.sweep()) ?? 0) > 0 || moved;
    }
  }

  /** I2: after an exchange, what the tables show, what is parked of them, and their conflict records are the same everywhere. */
  async equalRows(...tables: readonly string[]): Promise<string[]> {
    await this.exchange();
    const [first, ...others] = await Promise.all(this.all.map((region) => stateOf(region, tables)));
    for (const other of others) expect(other).toEqual(first);
    return first!.rows;
  }

  /** Of one table; the same in all regions when {@link equalRows} said so. */
  async conflicts(table: string): Promise<RecordRow[]> {
    const sql = `SELECT row_to_json(c) FROM meridian.conflict c WHERE rel = $1 ORDER BY pk, id`;
    const { rows } = await this.all[0]!.user.query<{ row_to_json: RecordRow }>(sql, [`public.${table}`]);
    return rows.map((row) => row.row_to_json);
  }

  letGo(): void {
    for (const region of this.all) region.letGo();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((region) => region.close()));
  }
}

/** For a describe: opens the regions before its tests, and closes them after. `opened` makes whatever else they need. */
export function useRegions(names: readonly string[], opened: (regions: RealRegions) => unknown): void {
  let regions: RealRegions;
  beforeAll(async () => {
    regions = await RealRegions.open(names);
    await opened(regions);
  });
  // A test that failed leaves nobody standing.
  afterEach(() => regions.letGo());
  afterAll(() => regions.close());
}

async function stateOf(region: RealRegion, tables: readonly string[]) {
  const names = [tables.map((t) => `public.${t}`)];
  const rows: string[] = [];
  for (const table of tables) rows.push(...(await region.read(`SELECT t.* FROM ${table} t`)));
  const parked = `SELECT rel, pk, image::jsonb, reason::jsonb FROM meridian.parked WHERE rel = ANY ($1)`;
  const records = `SELECT c.* FROM meridian.conflict c WHERE rel = ANY ($1)`;
  return { rows, parked: await region.read(parked, names), records: await region.read(records, names) };
}

/** Later writes have later stamps, whatever the region: they are in milliseconds, and the databases share a clock. */
export function nextMillisecond(): void {
  const now = Date.now();
  while (Date.now() === now);
}
