import { type ConflictDesk, type ConflictReader, type Operator } from '@meridian/core';
import { createRowsPool, PgConflictDesk, PgConflictReader } from '@meridian/postgres';
import type { Pool } from 'pg';
import type { RealRegion } from './real-region.js';
import { nextMillisecond, type RealRegions, useRegions } from './real-regions.js';

interface Shown {
  readonly id: string;
  readonly version: string;
  readonly status: string;
  readonly assignee: string | null;
  readonly decision: { readonly strategy: string; readonly by: string; readonly region: string } | null;
}

/** A region's conflicts as its REST reads and decides them. */
class Desk {
  readonly pool: Pool;
  readonly desk: ConflictDesk;
  readonly reader: ConflictReader;

  constructor(readonly region: RealRegion) {
    this.pool = createRowsPool({ url: region.url, max: 4, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000 });
    this.desk = new PgConflictDesk(this.pool, region.name);
    this.reader = new PgConflictReader(this.pool);
  }

  async of(name: string): Promise<Shown[]> {
    const { items } = await this.reader.list({
      table: { schema: tableSchema(name), name: name.split('.').at(-1)! },
      limit: 100,
    });
    return items.map((i) => JSON.parse(i.conflict) as Shown);
  }
}
const tableSchema = (name: string): string => (name.startsWith('meridian.') ? 'meridian' : 'public');
const operator = (actor: string, version: string | null = null): Operator => ({ actor, version });
const ACCEPT = { choice: { kind: 'accept' }, note: null } as const;
const FIRST = { choice: { kind: 'version', version: { kind: 'index', index: 0 }, columns: null }, note: null } as const;

const OPEN = `SELECT id FROM meridian.conflict c WHERE status <> 'withdrawn'
   AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = c.id AND d.strategy NOT IN ('undone', 'reopened'))`;

describe('decisions by hand', () => {
  let regions: RealRegions;
  let [eu, us]: Desk[] = [];
  useRegions(['eu', 'us'], (opened) => {
    regions = opened;
    [eu, us] = opened.all.map((region) => new Desk(region));
  });
  afterAll(() => Promise.all([eu!.pool.end(), us!.pool.end()]));

  /** What the list of open ones is read from is kept by triggers, in apply as well. */
  afterEach(async () => {
    await regions.exchange();
    for (const { region } of [eu!, us!])
      expect(await region.read('SELECT conflict FROM meridian.open_conflict')).toEqual(await region.read(OPEN));
  });

  /** eu's x was overwritten by us's. */
  async function contended(policy: object = {}): Promise<{ readonly t: string; readonly id: string }> {
    const t = await regions.items(policy);
    await us!.region.user.query(`INSERT INTO ${t} VALUES (1, '-', '-', 10)`);
    await regions.exchange();
    await eu!.region.user.query(`UPDATE ${t} SET x = 'eu'`);
    nextMillisecond();
    await us!.region.user.query(`UPDATE ${t} SET x = 'us'`);
    await regions.exchange();
    const [conflict] = await us!.of(t);
    return { t, id: conflict!.id };
  }

  it('are ordinary writes: row and decision are the same everywhere, in one transaction, and no conflict of their own', async () => {
    const { t, id } = await contended();
    await us!.desk.undo(id, null, operator('ann'));
    const tick = await us!.region.cut();
    expect(tick!.changes.map((c) => [c.table, c.actor])).toEqual(
      expect.arrayContaining([
        [`public.${t}`, 'ann\tmeridian rest'],
        ['meridian.decision', 'ann\tmeridian rest'],
      ]),
    );
    expect(await regions.equalRows(t)).toEqual(['1 | eu | - | 10']);
    expect(await eu!.of(t)).toMatchObject([
      { status: 'resolved', decision: { strategy: 'undo', by: 'ann', region: 'us' } },
    ]);
    expect(await eu!.of(t)).toEqual(await us!.of(t));
    await eu!.desk.undo(id, null, operator('bob'));
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 10']);
    expect(await us!.of(t)).toMatchObject([{ status: 'open', decision: { strategy: 'undone', by: 'bob' } }]);
  });

  it('of two regions at once: one stands in both, and the other is told by a record of its own', async () => {
    const { t, id } = await contended();
    await eu!.desk.resolve(id, FIRST, operator('ann'));
    nextMillisecond();
    await us!.desk.resolve(id, ACCEPT, operator('bob'));
    await regions.exchange();
    for (const desk of [eu!, us!])
      expect(await desk.of(t)).toMatchObject([{ status: 'resolved', decision: { strategy: 'accept', by: 'bob' } }]);
    const [overruled, ...more] = (await us!.of('meridian.decision')).filter((c) => JSON.stringify(c).includes(id));
    expect(more).toEqual([]);
    expect(overruled).toMatchObject({
      kind: 'insert_exists',
      region: 'eu',
      key: [id],
      loser: { values: { by: 'ann', strategy: 'version' } },
    });
    await expect(us!.desk.undo(overruled!.id, null, operator('bob'))).rejects.toMatchObject({ code: 'unresolvable' });
    await us!.desk.resolve(overruled!.id, ACCEPT, operator('bob'));
    expect(await regions.equalRows(t)).toEqual(['1 | eu | - | 10']);
    expect((await eu!.of('meridian.decision')).find((c) => c.id === overruled!.id)).toMatchObject({
      status: 'resolved',
    });
  });

  it('keep what is said of it in another region at the same moment: who looks after it, and what was decided', async () => {
    const { t, id } = await contended();
    await eu!.desk.resolve(id, ACCEPT, operator('ann'));
    nextMillisecond();
    await us!.desk.triage(id, 'assignee', 'bob', operator('bob'));
    await us!.desk.triage(id, 'note', 'a note', operator('bob'));
    await regions.exchange();
    for (const desk of [eu!, us!])
      expect(await desk.of(t)).toMatchObject([{ status: 'resolved', assignee: 'bob', decision: { by: 'ann' } }]);
    expect(await eu!.of(t)).toEqual(await us!.of(t));
    expect((await us!.of('meridian.triage')).filter((c) => JSON.stringify(c).includes(id))).toEqual([]);
  });

  it('are not overruled by somebody who has not seen them, also where the ETag came from the other region', async () => {
    const { t, id } = await contended();
    const [{ version }] = (await eu!.of(t)) as [Shown];
    await us!.desk.resolve(id, ACCEPT, operator('ann', version));
    await regions.exchange();
    await expect(eu!.desk.resolve(id, FIRST, operator('bob', version))).rejects.toMatchObject({
      code: 'conflict_changed',
    });
    await expect(eu!.desk.resolve(id, FIRST, operator('bob'))).rejects.toMatchObject({ code: 'conflict_decided' });
  });

  it('are not overwritten by one that waited while apply brought them', async () => {
    const { t, id } = await contended();
    const [{ version }] = (await eu!.of(t)) as [Shown];
    await us!.desk.resolve(id, ACCEPT, operator('ann'));
    await us!.region.cut();
    const stop = eu!.region.stopBefore('commit');
    const applied = eu!.region.takeFrom(us!.region);
    await stop.reachedBy(applied);
    const waiting = eu!.desk.resolve(id, FIRST, operator('bob', version)).catch((error: unknown) => error);
    await eu!.region.untilWaits(waiting, 'meridian rest');
    stop.go();
    await applied;
    expect(await waiting).toMatchObject({ code: 'conflict_changed' });
    expect(await regions.equalRows(t)).toEqual(['1 | us | - | 10']);
    expect(await eu!.of(t)).toMatchObject([{ decision: { by: 'ann' } }]);
  });

  it('stay when the record follows a later arrival', async () => {
    const { t, id } = await contended();
    await us!.desk.triage(id, 'note', 'of the first', operator('ann'));
    await eu!.region.user.query(`UPDATE meridian.conflict SET reason = 'another' WHERE id = $1`, [id]);
    await us!.desk.resolve(id, ACCEPT, operator('ann'));
    await regions.exchange();
    for (const desk of [eu!, us!])
      expect(await desk.of(t)).toMatchObject([
        { reason: 'another', status: 'resolved', note: { text: 'of the first' } },
      ]);
  });

  it('are listed by the record too: withdrawn and open again, in every region', async () => {
    const { t, id } = await contended();
    const tell = (status: string) =>
      eu!.region.user.query('UPDATE meridian.conflict SET status = $2 WHERE id = $1', [id, status]);
    const open = async () =>
      (await us!.reader.list({ table: { schema: 'public', name: t }, status: 'open', limit: 9 })).items;
    await tell('withdrawn');
    await regions.exchange();
    expect(await open()).toEqual([]);
    await tell('open');
    await regions.exchange();
    expect(await open()).toHaveLength(1);
    await us!.desk.resolve(id, ACCEPT, operator('ann'));
    await us!.desk.reopen(id, null, operator('ann'));
    await regions.exchange();
    expect(await open()).toHaveLength(1);
  });

  it('bring a deleted row back as it was, from the record alone', async () => {
    const t = await regions.items({ delete: 'delete-wins' });
    await us!.region.user.query(`INSERT INTO ${t} VALUES (1, '-', 'kept', 10)`);
    await regions.exchange();
    await eu!.region.user.query(`UPDATE ${t} SET x = 'eu', n = n + 5`);
    await us!.region.user.query(`DELETE FROM ${t}`);
    expect(await regions.equalRows(t)).toEqual([]);
    const [{ id }] = (await us!.of(t)) as [Shown];
    await us!.desk.undo(id, null, operator('ann'));
    expect(await regions.equalRows(t)).toEqual(['1 | eu | kept | 15']);
  });

  it('bring a parked row back under another value', async () => {
    const name = 'accounts';
    await regions.enrol(
      `CREATE TABLE ${name} (id int PRIMARY KEY, email text UNIQUE, n int NOT NULL DEFAULT 0)`,
      [name],
      {
        columns: { n: 'counter' },
      },
    );
    await us!.region.user.query(`INSERT INTO ${name} VALUES (1, 'a@b.c', 1)`);
    nextMillisecond();
    await eu!.region.user.query(`INSERT INTO ${name} VALUES (2, 'a@b.c', 2)`);
    expect(await regions.equalRows(name)).toEqual(['1 | a@b.c | 1']);
    const [{ id }] = (await us!.of(name)) as [Shown];
    await expect(us!.desk.undo(id, null, operator('ann'))).rejects.toMatchObject({ code: 'unique_violation' });
    const choice = { kind: 'value', columns: ['email'], json: '{"email":"a2@b.c"}' as never } as const;
    await us!.desk.resolve(id, { choice, note: 'they have two' }, operator('ann'));
    expect(await regions.equalRows(name)).toEqual(['1 | a@b.c | 1', '2 | a2@b.c | 2']);
    expect(await eu!.of(name)).toMatchObject([{ status: 'resolved' }]);
    expect(await us!.region.read('SELECT * FROM meridian.parked')).toEqual([]);
  });
});
