import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;
beforeAll(async () => void (us = await restRegion()));
afterAll(() => us.stop());

const call = async (method: string, path: string): Promise<unknown> =>
  JSON.parse((await httpCall(us.url, method, path)).text);

describe('webhooks', () => {
  it('are listed, tried and resumed by name', async () => {
    expect(await call('GET', '/v1/webhooks')).toMatchObject({
      items: [{ name: 'inbox', state: 'telling' }],
      next: null,
    });
    expect(await call('POST', '/v1/webhooks/inbox/test')).toEqual({
      ...{ told: true, status: 204, detail: 'it took the message' },
    });
    expect(await call('POST', '/v1/webhooks/inbox/resume')).toEqual({ waiting: 3 });
  });

  it('that the configuration does not have are not found', async () => {
    for (const action of ['test', 'resume'])
      expect(await call('POST', `/v1/webhooks/nobody/${action}`)).toMatchObject({
        status: 404,
        code: 'webhook_not_found',
      });
  });
});
