import type { TestCluster } from '../cluster.js';

/** A script of writes to one column of rows of its own, in two regions that do not see each other; the same at every run. */
export class ConcurrentNames {
  static readonly ROWS = 12;
  private readonly ids = Array.from({ length: ConcurrentNames.ROWS }, (_, i) => `v${String(i + 1).padStart(2, '0')}`);

  constructor(private readonly cluster: TestCluster) {}

  async prepare(): Promise<void> {
    await this.cluster.sql(
      'us',
      `INSERT INTO customers (id, email, name) SELECT id, id, 'base' FROM unnest($1::text[]) AS id`,
      [this.ids],
    );
    await this.settled(() => true);
  }

  /** In every second row it is us that writes later. Resolves to the rows' names in the end, the same in all regions. */
  async write(): Promise<ReadonlyMap<string, string>> {
    await this.cluster.sql('us', `UPDATE customers SET name = 'base' WHERE id = ANY($1)`, [this.ids]);
    await this.settled((names) => names.every((name) => name === 'base'));
    this.cluster.local.isolate('eu');
    for (const [i, id] of this.ids.entries())
      for (const region of i % 2 === 0 ? ['eu', 'us'] : ['us', 'eu'])
        await this.cluster.sql(region, 'UPDATE customers SET name = $2 WHERE id = $1', [id, `${region} of ${id}`]);
    this.cluster.local.heal();
    await this.crossed();
    return this.settled(() => true);
  }

  /** Both regions' writes are everywhere when what they wrote afterwards is. */
  private async crossed(): Promise<void> {
    const marks = ['us', 'eu'].map((region) => ({ region, id: crypto.randomUUID() }));
    for (const { region, id } of marks)
      await this.cluster.sql(region, 'INSERT INTO customers (id, email) VALUES ($1, $1)', [id]);
    await this.cluster.equal('SELECT id FROM customers ORDER BY id', (rows) =>
      marks.every(({ id }) => rows.some((row) => row['id'] === id)),
    );
  }

  private async settled(done: (names: string[]) => boolean): Promise<ReadonlyMap<string, string>> {
    const rows = await this.cluster.equal(
      `SELECT id, name FROM customers WHERE id ~ '^v\\d\\d$' ORDER BY id`,
      (all) => all.length === ConcurrentNames.ROWS && done(all.map((row) => row['name'] as string)),
    );
    return new Map(rows.map((row) => [row['id'] as string, row['name'] as string]));
  }
}
