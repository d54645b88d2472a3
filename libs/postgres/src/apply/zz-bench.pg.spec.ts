import { readFileSync } from 'node:fs';
import { type Tick, type RowRef, rowId } from '@meridian/core';
import { type TestRegion, testRegion } from '../region.builder.js';
import { rowRef } from './apply.builder.js';
import { remoteTicks } from './remote-tick.builder.js';

const item = (id: number): RowRef => rowRef('public.item', `${id}`);
jest.setTimeout(600_000);
const N = 2000;
const cpu = (pid: number): [number, number] => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); const u = process.cpuUsage(); return [(Number(f[11]) + Number(f[12])) * 10, (u.user + u.system) / 1000]; };
const avg = (a: number[]) => (a.reduce((x, y) => x + y, 0) / a.length).toFixed(1);
it('bench', async () => {
  const eu: TestRegion = await testRegion();
  await eu.enrol('CREATE TABLE item (id bigint PRIMARY KEY, qty int, payload text)', 'item');
  await eu.user.query(`ALTER TABLE item DISABLE TRIGGER ALL`);
  await eu.user.query(`INSERT INTO item SELECT i, 0, repeat('x', 250) FROM generate_series(1, 100000) i`);
  await eu.user.query('VACUUM ANALYZE item');
  const us = remoteTicks('us');
  const upid = Number((await eu.user.query<{ p: number }>('SELECT pg_backend_pid() AS p')).rows[0]!.p);
  const out: string[] = [];
  const batch = () => { const ids = new Set<number>(); while (ids.size < N) ids.add(1 + Math.floor(Math.random() * 100000)); return [...ids]; };
  const bare = async () => {
    const json = JSON.stringify(batch().map((id) => ({ id: `${id}`, qty: '5', payload: 'y'.repeat(250) })));
    const t = cpu(upid)[0];
    await eu.user.query(`INSERT INTO item SELECT * FROM json_to_recordset($1::json) AS x(id bigint, qty int, payload text) ON CONFLICT (id) DO UPDATE SET qty = excluded.qty, payload = excluded.payload`, [json]);
    return cpu(upid)[0] - t;
  };
  let last = 0;
  const full = async (steps: Record<string, number[]>) => {
    const ids = batch();
    const tick: Tick = us.tick(ids.map((id) => ({ op: 'update', key: `["${id}"]`, patch: { qty: '5', payload: 'y'.repeat(250) }, before: { qty: '4', payload: 'x'.repeat(250) } })), { eu: last });
    const rows = ids.map(item);
    // eslint-disable-next-line
    const pid = (eu.apply as any).applier.current?.pid ?? process.pid;
    let t = cpu(pid);
    const lap = (name: string) => { const n = cpu(pid); (steps[name] ??= []).push(n[0] - t[0]); (steps[name + '/js'] ??= []).push(n[1] - t[1]); t = n; };
    await eu.apply.tables();
    const tx = await eu.apply.begin();
    lap('begin');
    const held = await tx.lock(rows);
    if (!(held instanceof Map) || held.size !== N) throw new Error('held');
    lap('lock');
    const e = await tx.entriesAbove(rows, tick.deps);
    lap(`above`);
    if (e.length > 0) throw new Error('entries ' + e.length + rowId(e[0]!));
    await tx.write(tick.changes.map((c) => ({ table: c.table, key: c.key, kind: 'update' as const, counters: 'add' as const, values: c.patch! })));
    lap('write');
    await tx.append([tick]);
    lap('append');
    await tx.advance([tick], new Map());
    await tx.check(rows);
    await tx.commit();
    lap('rest');
  };
  const run = async (label: string) => {
    const steps: Record<string, number[]> = {};
    const bares: number[] = [];
    for (let i = 0; i < 20; i++) { bares.push(await bare()); await full(steps); }
    out.push(`${label}: bare ${avg(bares)} ms CPU; ` + Object.entries(steps).map(([k, v]) => `${k} ${avg(v.slice(1))}`).join(', '));
  };
  await run('empty log');
  await eu.user.query(`INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
    SELECT 'eu', 'public.item', 'u', json_build_array(((i::bigint * 7919) % 100000 + 1)::text), i, 0, 1, 'x', '{"qty": "5"}', '{"qty": "4"}' FROM generate_series(1, 1000000) i`);
  await eu.ticks.maintainPartitions();
  const cut = await eu.ticks.openCut();
  await cut.commit({ ...cut.header, changes: [], digest: 'x' });
  last = cut.header.seq;
  await run('1M log rows, covered (tail short)');
  await eu.user.query(`INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before)
    SELECT 'eu', 'public.other', 'u', json_build_array(i::text), i, 0, 1, 'x', '{"qty": "5"}', '{"qty": "4"}' FROM generate_series(1, 200000) i`);
  await run('1M log rows, 200k uncovered of other rows (by row)');
  console.log(out.join('\n'));
  await eu.close();
});
