import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { post, type Posted } from './post.js';
import { keyOf } from './signature.js';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

const attempt = (url: string, timeoutMs?: number): Promise<Posted> =>
  post({ url, secrets: [keyOf(SECRET)] }, { id: 'a', body: '{}' }, new AbortController().signal, timeoutMs);

describe('one attempt', () => {
  it('is told when the answer is 2xx', async () => {
    let seen: IncomingMessage | undefined;
    const url = await serving((req, res) => {
      seen = req;
      res.writeHead(204).end();
    });
    expect(await attempt(url)).toEqual({ kind: 'told', status: 204 });
    expect(seen).toMatchObject({ method: 'POST', url: '/hook' });
    expect(seen!.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'a' });
  });

  it('follows no redirect', async () => {
    let asked = 0;
    const elsewhere = await serving((_req, res) => {
      asked++;
      res.end();
    });
    const url = await serving((_req, res) => res.writeHead(307, { location: elsewhere }).end());
    expect(await attempt(url)).toMatchObject({
      kind: 'refused',
      status: 307,
      error: expect.stringMatching(/redirects/) as string,
    });
    expect(asked).toBe(0);
  });

  it('waits for nobody longer than it may, whether the head or the body is what takes so long', async () => {
    const silent = await serving(() => undefined);
    const endless = await serving((_req, res) => void res.writeHead(200).write('…'));
    for (const url of [silent, endless])
      expect(await attempt(url, 50)).toMatchObject({ kind: 'refused', error: 'it did not answer within 0.05 s' });
  });

  it('does not read an answer without end', async () => {
    let written = 0;
    const url = await serving((_req, res) => {
      res.writeHead(200);
      const more = (): void => {
        while (!res.destroyed && written < 500_000_000 && res.write(Buffer.alloc(65_536))) written += 65_536;
        res.once('drain', more);
      };
      more();
    });
    expect(await attempt(url)).toEqual({ kind: 'told', status: 200 });
    expect(written).toBeLessThan(50_000_000);
  });

  it('hears that it is to wait, or to stop', async () => {
    const busy = await serving((_req, res) => res.writeHead(429, { 'retry-after': '7' }).end());
    expect(await attempt(busy)).toMatchObject({ kind: 'refused', status: 429, notBeforeMs: 7_000 });
    const forever = await serving((_req, res) => res.writeHead(503, { 'retry-after': '999999' }).end());
    expect(await attempt(forever)).toMatchObject({ kind: 'refused', notBeforeMs: 3_600_000 });
    const gone = await serving((_req, res) => res.writeHead(410).end());
    expect(await attempt(gone)).toMatchObject({ kind: 'gone' });
  });

  it('says why nobody could be reached', async () => {
    expect(await attempt('http://127.0.0.1:9/hook')).toMatchObject({
      ...{ kind: 'refused', status: null },
      error: expect.stringMatching(/^it cannot be reached: /) as string,
    });
  });
});
