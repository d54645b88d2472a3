import { once } from 'node:events';
import { type TestRegion, testRegion } from '../region.builder.js';
import { ConnectionLostError, ReadOnlyDatabaseError } from './errors.js';
import { LeaderLock } from './leader-lock.js';
import { PinnedConnection } from './pinned-connection.js';
import { answersTo } from './session.js';
import { openApplySession, openSession, RELAY_SETTINGS } from './settings.js';

describe("a region's reserved connections", () => {
  let eu: TestRegion;
  beforeAll(async () => (eu = await testRegion()));
  afterAll(() => eu.close());

  const end = (application: string): Promise<unknown> =>
    eu.user.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
      [application],
    );

  it('one instance leads; another takes over when its connection ends, and the first is told', async () => {
    const config = { connectionString: eu.url };
    const [first, second] = [new LeaderLock(config), new LeaderLock({ ...config, application_name: 'second' })];
    expect(await first.tryAcquire()).toBe(true);
    expect(await second.tryAcquire()).toBe(false);
    const lost = once(first, 'lost');
    await end('meridian leader');
    await lost;
    expect(first.isHeld).toBe(false);
    // The server says so to the first a moment before it lets its locks go.
    while (!(await second.tryAcquire()));
    expect(await first.tryAcquire()).toBe(false);
    await second.release();
    while (!(await first.tryAcquire()));
    await first.release();
  });

  it('a session that ended is named as lost, and the next use opens another', async () => {
    const pinned = new PinnedConnection(() => openSession({ connectionString: eu.url }, 'test', RELAY_SETTINGS));
    const pid = await pinned.use(async (session) => session.pid);
    const waits = pinned.use((session) => session.query('SELECT pg_sleep(60)'));
    waits.catch(() => undefined);
    const sql = `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`;
    while ((await eu.user.query(sql, [pid])).rowCount === 0);
    await end('meridian test');
    await expect(waits).rejects.toThrow(ConnectionLostError);
    expect(await pinned.use(async (session) => session.pid)).not.toBe(pid);
    await pinned.close();
  });

  it('apply acts as a replica, gives way sooner than its users, and reads and writes one text', async () => {
    const session = await openApplySession({ connectionString: eu.applyUrl });
    const settings = ['session_replication_role', 'lock_timeout', 'synchronous_commit', 'jit', 'DateStyle', 'TimeZone'];
    const { rows } = await session.query(`SELECT ${settings.map((s) => `current_setting('${s}')`).join(', ')}`);
    expect(rows[0]).toEqual(['replica', '500ms', 'on', 'off', 'ISO, YMD', 'UTC']);
    expect(session.replicaRole).toBe(true);
    await session.close();
  });

  it('a session is closed at once, also when a statement is never answered', async () => {
    const session = await openSession({ connectionString: eu.url }, 'test', RELAY_SETTINGS);
    const waits = session.query('SELECT pg_sleep(600)').catch((error: unknown) => error);
    await session.close();
    expect(await waits).toBeInstanceOf(ConnectionLostError);
    await end('meridian test');
  });

  it('statements asked for side by side run in that order, and behind one that fails all fail with its error', async () => {
    const session = await openSession({ connectionString: eu.url }, 'test', RELAY_SETTINGS);
    const n = (of: number): Promise<string> => session.query(`SELECT ${of}`).then(({ rows }) => rows[0]![0]!);
    expect(await answersTo([n(1), n(2), n(3)])).toEqual(['1', '2', '3']);
    const asked = ['BEGIN', 'SELECT 1 / 0', 'SELECT 4', 'ROLLBACK'].map((sql) => session.query(sql));
    await expect(answersTo(asked)).rejects.toMatchObject({ code: '22012' });
    expect(
      (await Promise.allSettled(asked)).map((a) =>
        a.status === 'rejected' ? (a.reason as { code: string }).code : '',
      ),
    ).toEqual(['', '22012', '22012', '']);
    expect(await n(5)).toBe('5');
    await session.close();
  });

  it('a database that refuses writes is refused with the reason', async () => {
    const config = { connectionString: eu.url, options: '-c default_transaction_read_only=on' };
    await expect(openSession(config, 'test', RELAY_SETTINGS)).rejects.toThrow(ReadOnlyDatabaseError);
  });
});
