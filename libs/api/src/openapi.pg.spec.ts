import { PROBLEM_CODES } from '@meridian/contract';
import { httpCall, restRegion, type RestRegion } from '@meridian/testkit';

let us: RestRegion;
beforeAll(async () => void (us = await restRegion({ ready: false })));
afterAll(() => us.stop());

interface Operation {
  readonly responses: {
    readonly [status: string]: { readonly content?: { readonly [type: string]: { readonly schema: object } } };
  };
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } };
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}
interface Document {
  readonly openapi: string;
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: object } };
  readonly webhooks: { readonly [name: string]: { readonly post: Operation } };
}
const document = async (): Promise<Document> =>
  JSON.parse((await httpCall(us.url, 'GET', '/openapi.json')).text) as Document;

/** Actions that want to know nothing. */
const WITHOUT_BODY = /^\/v1\/webhooks\//;

/** The router's path as the document writes it: parameters in braces, a colon that is none once. */
const documented = (path: string): string =>
  path.replace(/::|:(\w+)/g, (_, name?: string) => (name === undefined ? ':' : `{${name}}`));

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and names every route that is served, with schemas for what goes in and out', async () => {
    const { openapi, paths } = await document();
    expect(openapi).toBe('3.1.0');
    const served = us.routes.filter(([method, path]) => method !== 'HEAD' && !path.startsWith('/docs/'));
    expect(served.length).toBeGreaterThan(20);
    for (const [method, path] of served) {
      const operation = paths[documented(path)]?.[method.toLowerCase()];
      expect([method, path, operation !== undefined]).toEqual([method, path, true]);
      if (['POST', 'PUT', 'PATCH'].includes(method) && !WITHOUT_BODY.test(path))
        expect(operation!.requestBody!.content['application/json'].schema).toBeDefined();
      for (const [status, answer] of Object.entries(operation!.responses))
        if (!['204', '304'].includes(status))
          expect([
            path,
            status,
            Object.values(answer.content ?? {}).every((c) => Object.keys(c.schema).length > 0) &&
              answer.content !== undefined,
          ]).toEqual([path, status, true]);
      expect(operation!.parameters?.filter((p) => p.in === 'path').map((p) => p.name) ?? []).toEqual(
        [...path.matchAll(/::|:(\w+)/g)].flatMap(([, name]) => name ?? []),
      );
    }
  });

  it('holds every schema that it refers to, and every problem code', async () => {
    const whole = await document();
    const references = [...JSON.stringify(whole).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name!,
    );
    expect(references.filter((name) => !(name in whole.components.schemas))).toEqual([]);
    for (const [name, schema] of Object.entries(whole.components.schemas))
      expect(schema).not.toMatchObject({ $ref: `#/components/schemas/${name}` });
    expect(JSON.stringify(whole)).not.toContain('#/$defs/');
    expect(whole.components.schemas['Problem']).toMatchObject({ properties: { code: { enum: [...PROBLEM_CODES] } } });
  });

  it('says what webhooks are sent', async () => {
    const { webhooks } = await document();
    expect(webhooks['conflict']!.post.requestBody!.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/ConflictMessage',
    });
  });

  it('is shown by a page that needs nothing from elsewhere and runs no inline code', async () => {
    const page = await httpCall(us.url, 'GET', '/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/https?:|<script>|style=|onclick/);
    for (const [, asset] of page.text.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g))
      expect((await httpCall(us.url, 'GET', asset!)).status).toBe(200);
    expect((await httpCall(us.url, 'GET', '/docs/..%2fdocs.controller.js')).status).toBe(404);
  });
});

describe('operations', () => {
  it('is alive before it is ready, and says what is missing', async () => {
    expect((await httpCall(us.url, 'GET', '/livez')).status).toBe(200);
    const ready = await httpCall(us.url, 'GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toMatchObject({ status: 'unavailable', checks: [{ name: 'relay', ok: false }] });
  });

  it('measures requests by route, not by path', async () => {
    await httpCall(us.url, 'GET', '/v1/data/nothing/secret-key');
    const { text } = await httpCall(us.url, 'GET', '/metrics');
    expect(text).toContain('route="/v1/data/:table/:key",status="404"');
    expect(text).not.toContain('secret-key');
  });
});

describe('tables', () => {
  const put = (table: string, body?: string) => httpCall(us.url, 'PUT', `/v1/tables/${table}`, body);

  it('are enrolled with defaults filled in, changed, listed and removed', async () => {
    const first = await put('public.items', '{"columns":{"stock":"counter"}}');
    expect(first.status).toBe(201);
    expect(JSON.parse(first.text)).toMatchObject({
      table: 'public.items',
      policy: {
        granularity: 'column',
        policy: 'hlc',
        delete: 'update-wins',
        initial: 'equal',
        columns: { stock: 'counter' },
      },
    });
    expect((await put('public.items')).status).toBe(200);
    expect(JSON.parse((await httpCall(us.url, 'GET', '/v1/tables')).text)).toMatchObject({
      items: [{ table: 'public.items' }],
      next: null,
    });
    expect((await httpCall(us.url, 'DELETE', '/v1/tables/public.items')).status).toBe(204);
    expect((await httpCall(us.url, 'GET', '/v1/tables/public.items')).status).toBe(404);
    expect((await httpCall(us.url, 'DELETE', '/v1/tables/public.items')).status).toBe(404);
  });

  it('tell of the policies that they had, and take one back', async () => {
    await put('public.boards');
    await put('public.boards', '{"policy":"lww"}');
    const revisions = async (): Promise<unknown> =>
      JSON.parse((await httpCall(us.url, 'GET', '/v1/tables/public.boards/revisions')).text);
    expect(await revisions()).toMatchObject({
      items: [
        { epoch: 2, policy: { policy: 'lww' } },
        { epoch: 1, policy: { policy: 'hlc' } },
      ],
    });
    const revert = (body: string, table = 'public.boards') =>
      httpCall(us.url, 'POST', `/v1/tables/${table}/revert`, body);
    expect(JSON.parse((await revert('{"epoch":1}')).text)).toMatchObject({ epoch: 3, policy: { policy: 'hlc' } });
    expect(await revisions()).toMatchObject({ items: [{ epoch: 3 }, {}, {}] });
    expect(JSON.parse((await revert('{"epoch":9}')).text)).toMatchObject({
      ...{ status: 404, code: 'revision_not_found', detail: 'public.boards has no revision 9: it has 3, 2, 1' },
    });
    expect((await revert('{"epoch":1}', 'public.nothing')).status).toBe(404);
    expect((await revert('{}')).status).toBe(422);
  });

  it('are refused with each reason and its cure, and with what does not fit the schema', async () => {
    const refused = await put('public.log_without_key', '{}');
    expect(JSON.parse(refused.text)).toMatchObject({
      status: 422,
      code: 'enrolment_refused',
      reasons: [{ code: 'no_primary_key', cure: 'ALTER TABLE public.log_without_key ADD PRIMARY KEY (…)' }],
    });
    for (const body of [
      '{"granularity":"cell"}',
      '{"colums":{}}',
      '{"columns":{"a":"best"}}',
      '{"groups":[["a"]]}',
      '[]',
      '"x"',
    ])
      expect(JSON.parse((await put('public.items', body)).text)).toMatchObject({
        status: 422,
        code: 'invalid_document',
      });
  });

  it('says of a policy that it does not take what it takes', async () => {
    for (const [body, detail] of [
      ['{"policy":"foo"}', /^policy: takes "hlc", "lww"/],
      ['{"columns":{"name":"sets"}}', /^columns.name: takes "hlc", "lww", "first-write"/],
      ['{"initial":"foo"}', /^initial: takes "equal"/],
    ] as const)
      expect(JSON.parse((await put('public.items', body)).text)).toMatchObject({
        detail: expect.stringMatching(detail) as string,
      });
    expect((await put('%00', '{}')).status).toBe(400);
  });
});

describe('the check of a table', () => {
  const check = async (path: string) => {
    const { status, text } = await httpCall(us.url, 'GET', `/v1/tables/${path}`);
    return [status, JSON.parse(text) as { code?: string; table?: string; items?: { message: string }[] }] as const;
  };

  it('answers for a table of any name, errors first, and is not in the way of one that is called so', async () => {
    expect(await check('items/check')).toMatchObject([
      200,
      {
        table: 'public.items',
        region: 'us',
        state: 'refused',
        items: [{ code: 'error' }, { code: 'hint' }],
        next: null,
      },
    ]);
    expect(await check('items%2Fcheck/check')).toMatchObject([200, { table: 'public.items/check' }]);
    expect(await check('check/check')).toMatchObject([200, { table: 'public.check' }]);
    expect(await check('items%2Fcheck')).toMatchObject([404, { code: 'table_not_enrolled' }]);
    expect(await check('no_table/check')).toMatchObject([404, { code: 'table_not_found' }]);
    expect(await check('a.b.c/check')).toMatchObject([400, { code: 'bad_table_name' }]);
  });

  it('takes a policy, and says what is wrong with one', async () => {
    const asked = async (policy: string) => check(`items/check?policy=${encodeURIComponent(policy)}`);
    const [, { items }] = await asked('{"columns":{"stock":"counter"}}');
    expect(JSON.parse(items![0]!.message)).toMatchObject({ granularity: 'column', columns: { stock: 'counter' } });
    expect(await asked('{')).toMatchObject([
      422,
      { code: 'invalid_document', detail: expect.stringMatching(/^policy: is no JSON/) as string },
    ]);
    expect(await asked('{"colums":{}}')).toMatchObject([422, { code: 'invalid_document' }]);
    expect(await check('items/check?polcy={}')).toMatchObject([422, { code: 'invalid_document' }]);
  });
});

describe('conflicts', () => {
  const RECORD = `INSERT INTO meridian.conflict SELECT 'c' || n, 'public.items', '["' || n || '"]', 'update_origin_differs', CASE n % 2 WHEN 0 THEN 'us' ELSE 'eu' END, 'open',
    '{"origin":"us","id":1,"op":"update","stamp":"9007199254740993","wall":"2026-01-01T00:00:00Z","actor":"a","values":{"q":"1"}}', '[]', null, '[]', null, 'because',
    '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second', now() FROM generate_series(1, 25) n`;

  it('are listed newest first, page by page, filtered, and shown one by one', async () => {
    await us.sql(RECORD);
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page = JSON.parse(
        (await httpCall(us.url, 'GET', `/v1/conflicts?limit=10${next === '' ? '' : `&cursor=${next}`}`)).text,
      ) as { items: { id: string }[]; next: string | null };
      seen.push(...page.items.map((i) => i.id));
      next = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `c${25 - i}`));
    const filtered = await httpCall(
      us.url,
      'GET',
      '/v1/conflicts?region=us&table=public.items&since=2026-01-01T00:00:20Z&status=open&kind=update_origin_differs',
    );
    expect((JSON.parse(filtered.text) as { items: { id: string }[] }).items.map((i) => i.id)).toEqual([
      'c24',
      'c22',
      'c20',
    ]);
    const one = await httpCall(us.url, 'GET', '/v1/conflicts/c1');
    expect(JSON.parse(one.text)).toMatchObject({
      id: 'c1',
      key: ['1'],
      loser: { stamp: '9007199254740993' },
      createdAt: '2026-01-01T00:00:01.000000Z',
    });
    expect(JSON.parse((await httpCall(us.url, 'GET', '/v1/conflicts/none')).text)).toMatchObject({
      code: 'conflict_not_found',
    });
    const refused = async (query: string): Promise<unknown> => {
      const { status, text } = await httpCall(us.url, 'GET', `/v1/conflicts?${query}`);
      return [status, (JSON.parse(text) as { code: string }).code];
    };
    expect(await refused('region=mars')).toEqual([400, 'unknown_region']);
    expect(await refused('table=nothing')).toEqual([404, 'table_not_enrolled']);
    expect(await refused('table=a.b.c')).toEqual([400, 'bad_table_name']);
    expect(JSON.parse((await httpCall(us.url, 'GET', '/v1/conflicts?table=items&limit=1')).text)).toMatchObject({
      items: [{ id: 'c25' }],
    });
    for (const query of ['kind=none', 'limit=0', 'limit=x', 'sinse=1', 'since=yesterday'])
      expect((await httpCall(us.url, 'GET', `/v1/conflicts?${query}`)).status).toBe(422);
    expect(JSON.parse((await httpCall(us.url, 'GET', '/v1/conflicts?cursor=abc')).text)).toMatchObject({
      code: 'bad_cursor',
    });
  });
});
