import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { regionId } from '@meridian/core';
import { closed, listening, urlOf } from '../contract/direct-cluster.js';
import { PeerClient, type PeerClientOptions } from './peer-client.js';
import { answerPeerCall, type PeerAnswer, type PeerCall } from './peer-endpoint.js';
import { PeerRefusedError, PeerSigner } from './peer-signature.js';

const us = regionId('us');
const eu = regionId('eu');
const identity = { cluster: 'shop', secrets: ['s3cret'] } as const;

describe('a call from service to service', () => {
  let server: http.Server;
  let calls: PeerCall[];
  let answer: (call: PeerCall) => Promise<PeerAnswer>;
  let serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  let clients: PeerClient[];

  beforeEach(async () => {
    calls = [];
    clients = [];
    answer = async (call) => ({ status: 200, body: { hello: call.from } });
    const signer = new PeerSigner({ ...identity, region: us });
    serve = (req, res) => answerPeerCall(signer, req, res, (call) => (calls.push(call), answer(call)));
    server = await listening(http.createServer((req, res) => void serve(req, res)));
  });
  afterEach(async () => {
    clients.forEach((c) => c.close());
    await closed(server);
  });

  const client = (
    signer = new PeerSigner({ ...identity, region: eu }),
    more: Partial<PeerClientOptions> = {},
  ): PeerClient => {
    const made = new PeerClient({ signer, peers: { us: urlOf(server) }, connectTimeoutMs: 1_000, ...more });
    clients.push(made);
    return made;
  };
  const raw = (headers: http.OutgoingHttpHeaders, body = '', path = '/v1/x', method = 'POST') =>
    new Promise<{ status: number; body: string; headers: http.IncomingHttpHeaders }>((resolve, reject) => {
      const req = http.request(`${urlOf(server)}${path}`, { method, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (c: Buffer) => chunks.push(c));
        res.on('end', () =>
          resolve({ status: res.statusCode!, body: Buffer.concat(chunks).toString(), headers: res.headers }),
        );
      });
      req.on('error', reject);
      req.end(body);
    });

  it('brings the body there and the answer back, and says who calls', async () => {
    expect(await client().call(us, 'PUT', '/v1/replication/tables/a%2Fb?x=1', { a: [1, null, '🙂'] })).toEqual({
      status: 200,
      body: { hello: 'eu' },
    });
    expect(calls).toEqual([
      {
        from: eu,
        method: 'PUT',
        path: '/v1/replication/tables/a%2Fb',
        query: new URLSearchParams('x=1'),
        body: { a: [1, null, '🙂'] },
      },
    ]);
  });

  it('works without a body, and below a prefix that a proxy takes off', async () => {
    server.removeAllListeners('request');
    server.on('request', (req, res) => {
      req.url = req.url!.replace('/proxied', '');
      void serve(req, res);
    });
    const { status } = await client(undefined, { peers: { us: `${urlOf(server)}/proxied/` } }).call(us, 'GET', '/v1/x');
    expect([status, calls[0]!.body]).toEqual([200, undefined]);
  });

  it('gives refusals of the other side as answers, and its failures as 500', async () => {
    answer = async () => ({ status: 409, body: { code: 'differs' } });
    expect(await client().call(us, 'POST', '/v1/x', {})).toEqual({ status: 409, body: { code: 'differs' } });
    answer = async () => Promise.reject(new Error('the table is gone'));
    expect(await client().call(us, 'POST', '/v1/x', {})).toMatchObject({
      status: 500,
      body: { detail: 'the table is gone' },
    });
  });

  it('is refused with a problem document when nobody, a stranger or another cluster signs it', async () => {
    const unsigned = await raw({}, '{}');
    expect(unsigned.status).toBe(401);
    expect(unsigned.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(unsigned.body)).toMatchObject({
      code: 'peer_unsigned',
      status: 401,
      traceId: expect.any(String) as string,
    });
    const stranger = client(new PeerSigner({ cluster: 'shop', secrets: ['guess'], region: eu }));
    await expect(stranger.call(us, 'POST', '/v1/x', {})).rejects.toMatchObject({ code: 'peer_refuses_us' });
    const foreign = client(new PeerSigner({ ...identity, cluster: 'other', region: eu }));
    await expect(foreign.call(us, 'POST', '/v1/x', {})).rejects.toThrow(/another cluster/);
    expect(calls).toEqual([]);
  });

  it('is refused when method, path, query or body are not what was signed', async () => {
    const { authorization } = new PeerSigner({ ...identity, region: eu }).signRequest(
      us,
      'POST',
      '/v1/x?a=1',
      Buffer.from('{}'),
    );
    const tries: readonly (readonly [string, string, string])[] = [
      ['{}', '/v1/x?a=2', 'POST'],
      ['{}', '/v1/y?a=1', 'POST'],
      ['{ }', '/v1/x?a=1', 'POST'],
      ['{}', '/v1/x?a=1', 'PUT'],
    ];
    for (const [body, path, method] of tries)
      expect(JSON.parse((await raw({ authorization }, body, path, method)).body)).toMatchObject({
        code: 'peer_bad_signature',
      });
    expect((await raw({ authorization }, '{}', '/v1/x?a=1', 'POST')).status).toBe(200);
  });

  it('is refused a second time, and for another region', async () => {
    const signer = new PeerSigner({ ...identity, region: eu });
    const { authorization } = signer.signRequest(us, 'POST', '/v1/x', Buffer.from('{}'));
    expect((await raw({ authorization }, '{}')).status).toBe(200);
    expect(JSON.parse((await raw({ authorization }, '{}')).body)).toMatchObject({ code: 'peer_replayed' });
    const other = signer.signRequest(regionId('ap'), 'POST', '/v1/x', Buffer.from('{}'));
    expect(JSON.parse((await raw({ authorization: other.authorization }, '{}')).body)).toMatchObject({
      code: 'peer_wrong_region',
    });
    expect(calls).toHaveLength(1);
  });

  it('is refused when it is older than the bound; a live peer whose clock is off is told the time', async () => {
    const old = new PeerSigner({ ...identity, region: eu, now: () => Date.now() - 61_000 });
    const { authorization } = old.signRequest(us, 'POST', '/v1/x', Buffer.from('{}'));
    expect(JSON.parse((await raw({ authorization }, '{}')).body)).toMatchObject({ code: 'peer_clock_skew' });
    expect((await client(old).call(us, 'POST', '/v1/x', {})).status).toBe(200);
    const strict = new PeerSigner({ ...identity, region: us, maxSkewMs: 1_000 });
    const late = new PeerSigner({ ...identity, region: eu, now: () => Date.now() - 2_000 });
    const request = late.signRequest(us, 'GET', '/', Buffer.alloc(0));
    expect(() =>
      strict.verifyRequest({
        method: 'GET',
        path: '/',
        headers: { authorization: request.authorization },
        body: Buffer.alloc(0),
      }),
    ).toThrow(PeerRefusedError);
  });

  it('is refused when its Authorization is crafted', async () => {
    for (const authorization of [
      'Bearer x',
      'Meridian',
      'Meridian key=',
      `Meridian ${'a'.repeat(8_000)}`,
      'Meridian key=00000000, from=__proto__, to=us, time=1, nonce=aaaaaaaaaaaaaaaa, mac=b',
    ])
      expect((await raw({ authorization }, '{}')).status).toBe(401);
  });

  it('does not trust an answer that is not signed for this very question', async () => {
    server.removeAllListeners('request');
    const impostor = new PeerSigner({ ...identity, region: us });
    const bodies = Buffer.from('{"ok":true}');
    const headers = [
      {},
      { 'meridian-signature': '' },
      { 'meridian-signature': impostor.signResponse('another nonce', 200, bodies) },
    ];
    for (const header of headers) {
      server.removeAllListeners('request');
      server.on('request', (_req, res) => res.writeHead(200, header).end(bodies));
      await expect(client().call(us, 'GET', '/v1/x')).rejects.toMatchObject({ code: 'peer_answer_forged' });
    }
  });

  it('does not follow a redirect', async () => {
    server.removeAllListeners('request');
    server.on('request', (_req, res) => res.writeHead(302, { location: 'http://169.254.169.254/' }).end());
    await expect(client().call(us, 'GET', '/v1/x')).rejects.toMatchObject({ code: 'peer_answer_forged' });
  });

  it('says what is wrong when nobody is there, nobody answers, or the peer is unknown', async () => {
    await expect(client(undefined, { peers: { us: 'http://127.0.0.1:1' } }).call(us, 'GET', '/')).rejects.toMatchObject(
      {
        code: 'peer_unreachable',
        message: 'us: ECONNREFUSED',
      },
    );
    await expect(client().call(eu, 'GET', '/')).rejects.toMatchObject({ code: 'peer_unknown' });
    server.removeAllListeners('request');
    await expect(client(undefined, { connectTimeoutMs: 50 }).call(us, 'GET', '/')).rejects.toMatchObject({
      code: 'peer_timeout',
    });
    expect(() => client(undefined, { peers: { us: 'file:///etc/passwd' } })).toThrow(/no http\(s\) URL/);
  });

  it('with too large a body is refused without keeping it', async () => {
    const big = 'x'.repeat(5 * 1024 * 1024);
    const answered = await raw({ authorization: 'Meridian x' }, big).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    // The refusal may be overtaken by the reset that ends the upload.
    expect(typeof answered === 'string' || answered?.status === 413).toBe(true);
  });

  it('of somebody who goes away in the middle hurts nobody', async () => {
    const socket = connect(Number(new URL(urlOf(server)).port), '127.0.0.1');
    await new Promise<void>((resolve) =>
      socket.write('POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{', () => resolve()),
    );
    socket.destroy();
    expect((await client().call(us, 'GET', '/v1/x')).status).toBe(200);
  });
});
