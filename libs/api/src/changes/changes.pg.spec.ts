import { restRegion, type RestRegion } from '@meridian/testkit';
import { Client } from 'pg';

let us: RestRegion;
beforeAll(async () => {
  us = await restRegion();
  await us.sql('CREATE TABLE items (id int PRIMARY KEY)');
  await us.enrol('public.items');
});
afterAll(() => us.stop());

/** What capture would log. */
const LOG = `INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch) VALUES ('us', $2, 'i', $1, 1, 1000000, 1, 'test', '{"n": "9007199254740993"}')`;
const log = (key: number, rel = 'public.items') => us.sql(LOG, [`["${key}"]`, rel]);

interface Event {
  readonly id: string;
  readonly data: { readonly key: string[]; readonly origin: string; readonly patch: object };
}

/** Events as they come, until the reader has enough. */
async function* events(path: string, headers: Record<string, string> = {}): AsyncGenerator<Event> {
  yield* await opened(path, headers);
}

/** A feed that has begun: what is committed from now on is in it. */
async function opened(path: string, headers: Record<string, string> = {}): Promise<AsyncGenerator<Event>> {
  const abort = new AbortController();
  const response = await fetch(`${us.url}${path}`, { headers, signal: abort.signal });
  expect(response.status).toBe(200);
  return read(response, abort);
}

async function* read(response: Response, abort: AbortController): AsyncGenerator<Event> {
  let text = '';
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, id, data] = /^id: (.*)\nevent: change\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (id !== undefined) yield { id, data: JSON.parse(data!) as Event['data'] };
      }
    }
  } finally {
    abort.abort();
  }
}
const take = async (from: AsyncGenerator<Event>, count: number): Promise<Event[]> => {
  const taken: Event[] = [];
  for await (const event of from) if (taken.push(event) === count) break;
  return taken;
};
const next = async (from: AsyncGenerator<Event>): Promise<Event> => (await from.next()).value as Event;
const keys = (list: readonly Event[]) => list.map((e) => e.data.key[0]);

describe('the change feed', () => {
  it('goes on exactly behind the event that a reader had last, also in the middle of a stretch', async () => {
    for (const n of [1, 2, 3, 4]) await log(n);
    const first = await take(events('/v1/changes?since=beginning'), 2);
    expect(keys(first)).toEqual(['1', '2']);
    expect(first[0]!.data).toMatchObject({
      table: 'public.items',
      op: 'insert',
      origin: 'us',
      seq: null,
      patch: { n: '9007199254740993' },
      wall: '1970-01-01T00:00:01.000000Z',
    });
    expect(keys(await take(events('/v1/changes', { 'last-event-id': first[1]!.id }), 2))).toEqual(['3', '4']);
    const pending = take(events('/v1/changes', { 'last-event-id': first[1]!.id }), 3);
    await log(5);
    expect(keys(await pending)).toEqual(['3', '4', '5']);
  });

  it('misses nothing that commits late with an earlier id', async () => {
    const late = new Client({ connectionString: us.databaseUrl });
    await late.connect();
    await late.query('BEGIN');
    await late.query(LOG, ['["late"]', 'public.items']);
    const feed = events('/v1/changes?since=beginning&table=items');
    await log(6);
    for (;;) {
      if ((await next(feed)).data.key[0] === '6') break;
    }
    await late.query('COMMIT');
    await late.end();
    expect((await next(feed)).data.key).toEqual(['late']);
    await feed.return(undefined);
  });

  it("tells of changes of other regions once they are applied, and not of Meridian's own tables", async () => {
    const feed = await opened(`/v1/changes`);
    await log(7, 'meridian.conflict');
    await us.sql(LOG.replace("'us'", "'eu'").replace('(origin,', '(seq, origin,').replace('VALUES (', 'VALUES (1, '), [
      '["8"]',
      'public.items',
    ]);
    await us.applied('eu', 1);
    expect((await next(feed)).data).toMatchObject({ key: ['8'], origin: 'eu', seq: 1 });
    await feed.return(undefined);
  });

  it('refuses to go on where the log no longer holds what follows, and says from where instead', async () => {
    const [had] = await take(events('/v1/changes?since=beginning'), 1);
    // As the retention does when it drops a partition.
    await us.sql(
      `UPDATE meridian.dropped SET times = times + 1, id = (SELECT max(id) FROM meridian.change), xid = pg_current_xact_id(), snapshot = pg_current_snapshot()`,
    );
    for (const request of [
      fetch(`${us.url}/v1/changes?since=${had!.id}`),
      fetch(`${us.url}/v1/changes`, { headers: { 'last-event-id': had!.id } }),
    ]) {
      const response = await request;
      expect(response.status).toBe(410);
      const { code, cursor } = (await response.json()) as { code: string; cursor: string };
      expect(code).toBe('cursor_expired');
      const feed = await opened(`/v1/changes?since=${cursor}`);
      await log(9);
      expect((await next(feed)).data.key).toEqual(['9']);
      await feed.return(undefined);
    }
  });

  it('tells what becomes of conflicts by events of their own, and goes on behind the one that a reader had last', async () => {
    const record = (id: string, op: string, patch: object, before: object | null = null) =>
      us.sql(
        `INSERT INTO meridian.change (origin, rel, op, pk, stamp, wall, epoch, actor, patch, before) VALUES ('us', 'meridian.conflict', $2, $1, 1, 1000000, 1, 'meridian', $3, $4)`,
        [JSON.stringify([id]), op, JSON.stringify(patch), before === null ? null : JSON.stringify(before)],
      );
    const row = (status: string, rel = 'public.items') => ({
      ...{ rel, pk: '["1"]', kind: 'update_origin_differs', region: 'us', status, reason: 'because' },
    });
    const response = await fetch(`${us.url}/v1/conflicts/changes?table=items`);
    await record('a', 'i', row('open'));
    await record('b', 'i', row('open', 'public.others'));
    await record('a', 'u', row('open'), row('open'));
    await record('a', 'u', row('withdrawn'), row('open'));
    const read = async (
      from: Response,
      count: number,
    ): Promise<{ id: string; event: string; data: { id: string } }[]> => {
      let text = '';
      for await (const chunk of from.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const found = [...text.matchAll(/^id: (.*)\nevent: (.*)\ndata: (.*)$/gm)];
        if (found.length >= count)
          return found.map(([, id, event, data]) => ({
            id: id!,
            event: event!,
            data: JSON.parse(data!) as { id: string },
          }));
      }
      throw new Error('the feed ended');
    };
    const events = await read(response, 3);
    expect(events.map(({ event, data }) => `${event} ${data.id}`)).toEqual([
      'conflict.opened a',
      'conflict.followed a',
      'conflict.withdrawn a',
    ]);
    expect(events[0]!.data).toMatchObject({ table: 'public.items', key: ['1'], region: 'us', decision: null });
    const again = await fetch(`${us.url}/v1/conflicts/changes?table=items`, {
      headers: { 'last-event-id': events[1]!.id },
    });
    expect((await read(again, 1)).map(({ event }) => event)).toEqual(['conflict.withdrawn']);
  });

  it('answers a bad cursor or table with a problem, not with a broken stream', async () => {
    for (const [query, code] of [
      ['since=xyz', 'bad_cursor'],
      [`since=${Buffer.from('["eu","3:3:",{}]').toString('base64url')}`, 'bad_cursor'],
      ['table=nothing', 'table_not_enrolled'],
      ['tabel=items', 'invalid_document'],
    ]) {
      const response = await fetch(`${us.url}/v1/changes?${query}`);
      expect(await response.json()).toMatchObject({ code });
    }
  });
});
