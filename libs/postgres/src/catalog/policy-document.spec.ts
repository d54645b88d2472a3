import { parsePolicyDocument, policyJson } from './policy-document.js';

const codes = (input: unknown): string[] => parsePolicyDocument(input).problems.map((p) => p.code);

describe('a policy document', () => {
  it('has every part optional', () => {
    expect(policyJson(parsePolicyDocument({}).document!)).toBe(
      '{"granularity":"column","policy":"hlc","groups":[],"delete":"update-wins","columns":{}}',
    );
  });

  it('is the same text for the same policy', () => {
    const one = parsePolicyDocument({
      columns: { b: 'counter', a: { policy: 'lww', column: 'at' } },
      policy: { policy: 'hlc' },
    });
    const two = parsePolicyDocument({
      policy: 'hlc',
      initial: 'equal',
      columns: { a: { column: 'at', policy: 'lww' }, b: 'counter' },
    });
    expect(policyJson(one.document!)).toBe(policyJson(two.document!));
    expect(parsePolicyDocument(JSON.parse(policyJson(one.document!))).document).toEqual(one.document);
  });

  it('is read back as it was written, whatever the policy', () => {
    const columns = {
      ...{ a: 'first-write', b: { policy: 'region-priority', regions: ['us', 'eu'] }, c: 'max', d: 'min', e: 'set' },
      ...{ f: 'grow-set', g: 'flag', h: { policy: 'flag', wins: 'disable' }, i: 'map', j: 'manual', m: 'register' },
      l: { policy: 'bounded-counter', min: 0 },
      k: { policy: 'merge:best', language: 'javascript', source: 'export default () => 1', fallback: 'first-write' },
    };
    const { document } = parsePolicyDocument({ columns, secret: ['a'] });
    expect(JSON.parse(policyJson(document!))).toMatchObject({ columns, secret: ['a'] });
    expect(parsePolicyDocument(JSON.parse(policyJson(document!))).document).toEqual(document);
  });

  it.each([
    [{ policy: 'max' }],
    [{ policy: { policy: 'flag' } }],
    [{ columns: { a: { policy: 'region-priority', regions: [] } } }],
    [{ columns: { a: { policy: 'region-priority', regions: ['us', 'us'] } } }],
    [{ columns: { a: { policy: 'flag', wins: 'nobody' } } }],
    [{ columns: { a: { policy: 'max', column: 'b' } } }],
    [{ secret: 'a' }],
    [{ columns: { a: { policy: 'bounded-counter', min: '0' } } }],
    [{ columns: { a: { policy: 'bounded-counter', least: 0 } } }],
    [{ columns: { a: 'merge:best' } }],
    [{ columns: { a: { policy: 'merge:best', source: 'x', fallback: 'max' } } }],
    [{ columns: { a: { policy: 'merge:', source: 'x' } } }],
  ])('refuses %j', (input) => {
    expect(codes(input)).toEqual(['bad_policy']);
  });

  it('takes policies of a map by JSON pointers, and is read back with them', () => {
    const paths = { '/a~1b': { policy: 'flag', wins: 'disable' }, '/price': 'max', '/profile/name': 'first-write' };
    const written = parsePolicyDocument({ columns: { doc: { policy: 'map', paths } } }).document!;
    expect(JSON.parse(policyJson(written))).toMatchObject({ columns: { doc: { policy: 'map', paths } } });
    expect(written.columns.get('doc')).toMatchObject({
      paths: [{ path: ['a/b'] }, { path: ['price'] }, { path: ['profile', 'name'] }],
    });
  });

  it.each([
    [{ name: 'hlc' }, 'the path "name" is no JSON pointer to a key', 'write "/profile/name"'],
    [{ '': 'hlc' }, 'is no JSON pointer to a key', 'write "/profile/name"'],
    [{ '/name': 'lww' }, '/name: "lww" is no policy of a path', 'write one of "hlc"'],
    [{ '/seen': 'grow-set' }, '/seen: "grow-set" is no policy of a path', 'write one of "hlc"'],
    [{ '/a': 'counter', '/a/b': 'max' }, '/a/b is part of /a, which "counter" takes as a whole', 'leave /a/b out'],
    [['/a'], '"paths" is no object', 'write "paths"'],
  ])('refuses the paths %j, and says how to write them', (paths, message, cure) => {
    const { problems } = parsePolicyDocument({ columns: { doc: { policy: 'map', paths } } });
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'bad_policy',
        message: expect.stringContaining(message) as string,
        cure: expect.stringContaining(cure) as string,
      }),
    ]);
  });

  it('takes a bounded counter without its bound as one from zero', () => {
    const { document } = parsePolicyDocument({ columns: { a: 'bounded-counter' } });
    expect(document!.columns.get('a')).toEqual({ kind: 'bounded-counter', min: 0 });
  });

  it('refuses what it does not know, all of it at once', () => {
    expect(
      codes({ granularity: 'cell', delete: 1, groups: ['a'], columns: { a: 'best' }, polcy: 'hlc', policy: 7 }),
    ).toHaveLength(6);
    for (const input of [null, [], 'hlc', 7]) expect(codes(input)).toEqual(['bad_policy']);
  });

  it('takes a column called __proto__ or constructor as a column', () => {
    const { document } = parsePolicyDocument(JSON.parse('{"columns": {"__proto__": "counter", "constructor": "lww"}}'));
    expect([...document!.columns.keys()]).toEqual(['__proto__', 'constructor']);
    expect(JSON.parse(policyJson(document!))).toEqual(
      JSON.parse(
        '{"granularity":"column","policy":"hlc","groups":[],"delete":"update-wins","columns":{"__proto__":"counter","constructor":"lww"}}',
      ),
    );
  });
});
