import type { ApiOptions, ApiPorts } from '@meridian/api';
import { MemoryRateLimiter } from '@meridian/redis';
import type { INestApplication } from '@nestjs/common';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createHttpServer } from './http-server.js';

const OPTIONS: ApiOptions = {
  cluster: 'test',
  region: 'us',
  regions: ['us'],
  version: '0',
  bodyLimitBytes: 1_024,
  sessionWaitMs: 100,
  maxRows: 10,
  requestTimeoutMs: 1_000,
};

/** What these requests touch, and nothing else: no database stands behind it. */
const PORTS = {
  relaying: { written: () => undefined, promised: () => undefined, onAdvance: () => () => undefined },
  changes: { mark: () => Promise.resolve('') },
  cluster: { regions: () => Promise.resolve([]) },
  tables: { list: () => Promise.reject(new Error('no tables here')) },
  readiness: { checks: () => Promise.resolve([]) },
  metrics: new Registry(),
} as unknown as ApiPorts;

describe('the HTTP server', () => {
  let app: INestApplication;
  let url: string;
  let now = 0;
  const logged: string[] = [];
  const log = pino({}, { write: (line) => void logged.push(line) });
  beforeAll(async () => {
    const limiter = new MemoryRateLimiter(() => now);
    const peers = (_request: unknown, response: { end(text: string): void }) => Promise.resolve(response.end('peer'));
    app = await createHttpServer(PORTS, OPTIONS, peers, { limiter, perSecond: 2 }, log);
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());

  const statuses = async (path: string, times: number): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < times; i++) found.push((await fetch(`${url}${path}`)).status);
    return found;
  };

  it('answers 429 with the time to wait, and serves again after it', async () => {
    expect(await statuses('/v1/cluster', 4)).toEqual([200, 200, 200, 200]);
    const refused = await fetch(`${url}/v1/cluster`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ code: 'rate_limited', status: 429 });
    now += 500;
    expect(await statuses('/v1/cluster', 2)).toEqual([200, 429]);
  });

  it('logs why a request failed, under the traceId that the answer names', async () => {
    now += 10_000;
    const failed = await fetch(`${url}/v1/tables`);
    const { code, traceId } = (await failed.json()) as { code: string; traceId: string };
    expect([failed.status, code]).toEqual([500, 'internal_error']);
    const line = logged.find((text) => text.includes(traceId));
    expect(line).toMatch(/a request failed/);
    expect(line).toMatch(/no tables here/);
  });

  it('counts neither probes, nor a scrape, nor peers', async () => {
    expect(new Set(await statuses('/livez', 10))).toEqual(new Set([200]));
    expect(new Set(await statuses('/metrics', 10))).toEqual(new Set([200]));
    expect(new Set(await statuses('/v1/replication/ticks', 10))).toEqual(new Set([200]));
  });
});
