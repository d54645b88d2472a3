import { type ConflictRecord, type RegionId, type RowEffect, rowId, seq, type Vector } from '@meridian/core';
import { cutTick } from '../log/cut.builder.js';
import { PARTITION_IDS } from '../log/partitions.js';
import { type TestRegion, testRegion } from '../region.builder.js';
import { applying, jsonText, receiving, rowRef, tableName, writing } from './apply.builder.js';
import { remoteTicks } from './remote-tick.builder.js';

const person = (id: string) => rowRef('public.person', id);
const PERSON = tableName('public.person');
const KEY = 'person_email_key';

describe('virtual rows, their claims and children, and conflict records', () => {
  let eu: TestRegion;
  beforeEach(async () => {
    eu = await testRegion();
    await eu.enrol('CREATE TABLE person (id int PRIMARY KEY, email varchar(40) UNIQUE, name text)', 'person');
  });
  afterEach(() => eu.close());

  const claimants = (...emails: (string | null)[]) =>
    applying(eu, (tx) =>
      tx.claimants(
        PERSON,
        KEY,
        emails.map((email) => ({ email })),
      ),
    );
  const park = (id: string, email: string | null): RowEffect => ({
    ...person(id),
    kind: 'park',
    values: jsonText({ id, email, name: null }),
    claims: jsonText({ [KEY]: ['77', 'us', '3'] }),
    because: { kind: 'unique_key', constraint: KEY, other: person('1') },
  });

  it('finds who claims a value, shown or parked, with the rank of the write that set it', async () => {
    const us = remoteTicks('us');
    await eu.user.query(`INSERT INTO person VALUES (1, 'a@x'), (2, 'b@x'), (4, NULL)`);
    await eu.user.query(`UPDATE person SET name = 'later' WHERE id = 1`);
    await cutTick(eu);
    await writing(eu, [park('3', 'a@x'), park('5', null)]);
    const change = { op: 'update', table: 'public.person', key: '["2"]', patch: { email: 'c@x' }, stamp: 99n } as const;
    const tick = us.tick([change], { eu: 1 });
    await receiving(eu, [tick]);
    await writing(eu, [{ ...person('2'), kind: 'update', counters: 'add', values: tick.changes[0]!.patch! }]);
    const [insert] = await applying(eu, (tx) => tx.entriesOf([person('1')]));
    expect(await claimants('a@x', 'c@x', null)).toEqual([
      {
        row: { ref: person('1'), place: 'table', values: { id: '1', email: 'a@x', name: 'later' } },
        claims: new Map([[KEY, { stamp: insert!.stamp, origin: 'eu', id: insert!.id }]]),
      },
      {
        row: { ref: person('2'), place: 'table', values: { id: '2', email: 'c@x', name: null } },
        claims: new Map([[KEY, { stamp: 99n, origin: 'us', id: 1 }]]),
      },
      {
        row: { ref: person('3'), place: 'parked', values: { id: '3', email: 'a@x', name: null } },
        claims: new Map([[KEY, { stamp: 77n, origin: 'us', id: 3 }]]),
      },
    ]);
  });

  it('keeps the claims of contended keys when the log forgets them; others count as the earliest', async () => {
    await eu.user.query(`INSERT INTO person VALUES (1, 'a@x'), (2, 'b@x')`);
    const before = await claimants('a@x', 'b@x');
    await applying(eu, (tx) => tx.keepClaims(before.slice(0, 1)));
    await cutTick(eu);
    await eu.user.query(`SELECT setval('meridian.change_id', $1)`, [PARTITION_IDS + 5]);
    expect(await eu.ticks.dropBelow({ eu: seq(1) })).toBe(1);
    const after = await claimants('a@x', 'b@x');
    expect(after[0]).toEqual(before[0]);
    expect(after[1]!.claims).toEqual(new Map([[KEY, null]]));
  });

  it('tells what was kept of a row that is gone', async () => {
    await eu.user.query(`INSERT INTO person VALUES (1, 'a@x'), (2, 'b@x')`);
    const [first] = await claimants('a@x');
    await applying(eu, (tx) => tx.keepClaims([first!]));
    await eu.user.query('DELETE FROM person WHERE id = 1');
    const kept = await applying(eu, (tx) => tx.keptClaims([person('1'), person('2')]));
    expect([...kept]).toEqual([[rowId(person('1')), first!.claims]]);
  });

  it('finds the rows of which the log has a delete above the floor, local ones and others', async () => {
    const us = remoteTicks('us');
    await eu.user.query(`INSERT INTO person VALUES (1, 'a@x'), (2, 'b@x'), (3, 'c@x'), (4, 'd@x')`);
    await eu.user.query('DELETE FROM person WHERE id = 1');
    await cutTick(eu);
    await eu.user.query('DELETE FROM person WHERE id = 2');
    const gone = { op: 'delete', table: 'public.person', key: '["3"]', before: { id: '3' }, stamp: 99n } as const;
    await receiving(eu, [us.tick([gone], { eu: 1 })]);
    const above = async (floor: Vector) =>
      (await applying(eu, (tx) => tx.deletedAbove([PERSON], floor))).map(({ key }) => key).sort();
    expect(await above({})).toEqual(['["1"]', '["2"]', '["3"]']);
    expect(await above({ eu: seq(1) })).toEqual(['["2"]', '["3"]']);
    expect(await above({ eu: seq(1), us: seq(1) })).toEqual(['["2"]']);
    expect(await applying(eu, (tx) => tx.deletedAbove([tableName('public.letter')], {}))).toEqual([]);
  });

  it('finds the children of a parent, whether they refer to its primary key alone or with more columns', async () => {
    await eu.enrol(
      `ALTER TABLE person ADD UNIQUE (id, email);
       CREATE TABLE letter (id int PRIMARY KEY, reader int REFERENCES person, writer int, address varchar(40),
                            FOREIGN KEY (writer, address) REFERENCES person (id, email))`,
      'letter',
    );
    await eu.user.query(
      `INSERT INTO person VALUES (1, 'a@x'), (2, 'b@x'); INSERT INTO letter VALUES (10, 1, 2, 'b@x'), (11, 2, NULL, NULL)`,
    );
    await eu.apply.enrolments();
    const children = await applying(eu, (tx) => tx.children([person('1'), person('9')]));
    expect(children).toEqual([
      {
        ref: rowRef('public.letter', '10'),
        place: 'table',
        values: { id: '10', reader: '1', writer: '2', address: 'b@x' },
      },
    ]);
    const both = await applying(eu, (tx) => tx.children([person('2')]));
    expect(both.map((row) => row.ref.key).sort()).toEqual(['["10"]', '["11"]']);
  });

  it('applies a child before its parent and a deleted parent under its child: foreign keys are decided, not checked', async () => {
    await eu.enrol('CREATE TABLE letter (id int PRIMARY KEY, reader int REFERENCES person)', 'letter');
    await eu.apply.enrolments();
    const child: RowEffect = {
      ...rowRef('public.letter', '1'),
      kind: 'insert',
      values: jsonText({ id: '1', reader: '7' }),
    };
    const parent: RowEffect = {
      ...person('7'),
      kind: 'insert',
      values: jsonText({ id: '7', email: null, name: null }),
    };
    expect(await writing(eu, [child, parent])).toEqual({ retry: null });
    expect(await writing(eu, [{ ...person('7'), kind: 'delete' }])).toEqual({ retry: null });
  });

  it('a deferrable unique key, which nobody checks for a replica, is looked up', async () => {
    await eu.user.query('ALTER TABLE person ADD CONSTRAINT by_name UNIQUE (name) DEFERRABLE INITIALLY DEFERRED');
    await eu.user.query(`INSERT INTO person VALUES (1, NULL, 'ann')`);
    await applying(eu, async (tx) => {
      await tx.write([{ ...person('2'), kind: 'insert', values: jsonText({ id: '2', email: null, name: 'ann' }) }]);
      expect(await tx.check([person('2')])).toEqual([
        { kind: 'unique_key', constraint: 'by_name', other: person('1') },
      ]);
      await tx.rollback();
    });
  });

  it('a primary key made deferrable after enrolment is looked up by the rows themselves', async () => {
    await eu.enrol('CREATE TABLE shift (id int PRIMARY KEY)', 'shift');
    await eu.user.query('ALTER TABLE shift DROP CONSTRAINT shift_pkey, ADD PRIMARY KEY (id) DEFERRABLE');
    await eu.user.query('INSERT INTO shift VALUES (1)');
    expect(await applying(eu, (tx) => tx.check([rowRef('public.shift', '1')]))).toEqual([]);
  });

  const record = (reason: string): ConflictRecord => ({
    id: 'c1',
    table: PERSON,
    key: person('1').key,
    kind: 'update_origin_differs',
    region: 'eu' as RegionId,
    status: 'open',
    loser: {
      origin: 'eu' as RegionId,
      id: 4,
      op: 'update',
      stamp: '12',
      wall: '2026-01-01T00:00:00Z',
      actor: 'ann',
      application: 'psql',
      clockOffsetMs: 0,
      epoch: 1,
      values: { name: 'a' },
    },
    versions: [],
    base: null,
    overwritten: [],
    result: { id: '1', name: 'b' },
    reason,
  });

  it('records conflicts as local changes, which the next tick carries, and follows them', async () => {
    await applying(eu, (tx) => tx.recordConflicts([record('us won')]));
    expect(await applying(eu, (tx) => tx.conflictRecords(['c1', 'c2']))).toEqual(new Map([['c1', record('us won')]]));
    const first = (await cutTick(eu))!;
    expect(first.changes).toHaveLength(1);
    expect(first.changes[0]).toMatchObject({
      origin: 'eu',
      table: 'meridian.conflict',
      key: '["c1"]',
      op: 'insert',
      actor: 'meridian',
    });
    await applying(eu, (tx) => tx.recordConflicts([record('ap won')]));
    const [change] = (await cutTick(eu))!.changes;
    expect(change).toMatchObject({ op: 'update', key: '["c1"]' });
    expect(JSON.parse(change!.before!)).toMatchObject({ reason: 'us won', base: null });
    expect(JSON.parse(change!.patch!)).toMatchObject({ reason: 'ap won', base: null });
    expect(BigInt(change!.stamp)).toBeGreaterThan(BigInt(first.changes[0]!.stamp));
  });

  it.each(['null', '\u001e and \u001f', '"', "\\'\n"])(
    'a record may tell of a table and a reason like %j',
    async (odd) => {
      const told = { ...record(odd), table: tableName(`public."${odd}"`) };
      await applying(eu, (tx) => tx.recordConflicts([told, { ...record('beside'), id: 'c2' }]));
      const found = await applying(eu, (tx) => tx.conflictRecords(['c1', 'c2']));
      expect([...found.values()]).toEqual([told, { ...record('beside'), id: 'c2' }]);
    },
  );

  it('a record that arrives from another region is the same row there', async () => {
    await applying(eu, (tx) => tx.recordConflicts([record('us won')]));
    const { key, patch } = (await cutTick(eu))!.changes[0]!;
    const us = await testRegion('us');
    const ref = { table: tableName('meridian.conflict'), key };
    await writing(us, [{ ...ref, kind: 'insert', values: patch! }]);
    const rows = async (region: TestRegion): Promise<unknown> =>
      (await region.user.query('SELECT c::text FROM meridian.conflict c')).rows;
    expect(await rows(us)).toEqual(await rows(eu));
    expect(await cutTick(us)).toBeNull();
    expect(rowId(ref)).toBe('meridian.conflict\n["c1"]');
    await us.close();
  });
});
