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
  const abort = new AbortController();
  const response = await fetch(`${us.url}${path}`, { headers, signal: abort.signal });
  expect(response.status).toBe(200);
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
    const feed = events(`/v1/changes`);
    const first = next(feed);
    // The reader begins at "now": write until it has begun.
    const writing = setInterval(() => void log(7, 'meridian.conflict'), 20);
    const remote = async () => {
      await us.sql(
        LOG.replace("'us'", "'eu'").replace('(origin,', '(seq, origin,').replace('VALUES (', 'VALUES (1, '),
        ['["8"]', 'public.items'],
      );
      await us.applied('eu', 1);
    };
    setTimeout(() => void remote(), 300);
    expect((await first).data).toMatchObject({ key: ['8'], origin: 'eu', seq: 1 });
    clearInterval(writing);
    await feed.return(undefined);
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
