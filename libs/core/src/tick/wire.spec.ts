import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../change/change.js';
import { changeId, regionId, seq, type JsonText, type RowKey, type TableName } from '../ids.js';
import { stamp } from '../stamp.js';
import type { Tick } from './tick.js';
import { decodeTickParts, decodeTickText } from './tick-decoder.js';
import { AlteredTickError, MalformedTickError, UnknownWireVersionError } from './wire-decode.js';
import { encodeTickParts, encodeTickText, tickDigest } from './wire.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const golden = (name: string): string => readFileSync(join(__dirname, 'golden', name), 'utf8');

const base: Change = {
  origin: regionId('us'),
  seq: seq(7),
  id: changeId(91),
  table: 'public.items' as TableName,
  key: '["1"]' as RowKey,
  op: 'update',
  stamp: stamp(115_762_345_678_901_248n),
  wall: 1_763_700_000_123_456n,
  epoch: 1,
  actor: 'app',
  patch: '{"qty": "5", "note": null}' as JsonText,
  before: '{"qty": "4", "note": "a\\tb\\n"}' as JsonText,
  ranks: null,
  unseen: null,
};

const everyKind: readonly Change[] = [
  { ...base, id: changeId(90), op: 'insert', before: null },
  base,
  { ...base, id: changeId(92), op: 'delete', patch: null },
  { ...base, id: changeId(93), patch: '{}' as JsonText, before: '{}' as JsonText },
  {
    ...base,
    id: changeId(94),
    table: '"My Schema"."Orders\t2"' as TableName,
    key: '["42", "eu", "Ünïcode 🙂"]' as RowKey,
    actor: 'psql "quoted" \t 🙂',
    wall: -1n,
    patch: '{"__proto__": "1", "constructor": "2"}' as JsonText,
    ranks: Object.fromEntries([
      ['qty', { stamp: stamp(9n), wall: 8n, id: changeId(7) }],
      ['__proto__', { stamp: stamp(2n ** 62n), wall: -5n, id: changeId(6) }],
    ]),
    unseen: { eu: seq(3), ap: seq(9) },
  },
];

const tickOf = (changes: readonly Change[]): Tick => {
  const content = {
    origin: regionId('us'),
    seq: seq(7),
    deps: { us: seq(6), eu: seq(4) },
    stamp: stamp(115_762_345_678_901_249n),
    wall: 1_763_700_000_200_000n,
    previous: 'ab12',
    changes,
  };
  return { ...content, digest: tickDigest(content, sha256) };
};

describe('the wire format, version 1', () => {
  it.each([
    ['heartbeat.txt', tickOf([])],
    ['every-kind.txt', tickOf(everyKind)],
  ])('has not changed since it was first sent: %s', (name, tick) => {
    expect(encodeTickText(tick)).toBe(golden(name));
    expect(decodeTickText(golden(name))).toEqual(tick);
  });

  it('is the same text whatever the order in which vectors and ranks were built', () => {
    const a = tickOf([{ ...base, unseen: { eu: seq(3), ap: seq(9) } }]);
    const b = { ...tickOf([{ ...base, unseen: { ap: seq(9), eu: seq(3) } }]), deps: { eu: seq(4), us: seq(6) } };
    expect(encodeTickText(b)).toBe(encodeTickText(a));
  });

  it('takes line breaks between the tokens of JSON for the spaces that they are', () => {
    const tick = tickOf([{ ...base, patch: '{"a": "1",\n\t"b": "2"}' as JsonText }]);
    expect(decodeTickText(encodeTickText(tick)).changes[0]!.patch).toBe('{"a": "1",  "b": "2"}');
    expect(tickDigest(decodeTickText(encodeTickText(tick)), sha256)).toBe(tick.digest);
  });

  it('I5: gives every content its own digest', () => {
    const digests = [[], [base], [base, base], everyKind, [{ ...base, actor: 'b' }]].map((c) => tickOf(c).digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('keeps the digest when a log entry in no tick yet becomes part of one', () => {
    expect(tickOf([{ ...base, seq: null }]).digest).toBe(tickOf([base]).digest);
  });

  it('digests a tick of many blocks without making it one string', () => {
    const many = Array.from({ length: 2_500 }, (_, i) => ({ ...base, id: changeId(i) }));
    const lengths: number[] = [];
    tickDigest(tickOf(many), (text) => (lengths.push(text.length), sha256(text)));
    expect(lengths).toHaveLength(4);
    expect(Math.max(...lengths)).toBeLessThan(1_000 * 300);
  });

  it('bounds a block by its text, too: a few large values are many blocks, and one larger than a block is one', () => {
    const note = (chars: number): Change => ({
      ...base,
      patch: `{"note": "${'x'.repeat(chars)}"}` as JsonText,
    });
    const lengths: number[] = [];
    const digest = (text: string): string => (lengths.push(text.length), sha256(text));
    const tick = tickOf([base, note(3_000_000), note(3_000_000), note(3_000_000), note(9_000_000), base]);
    expect(tickDigest(tick, digest)).toBe(tick.digest);
    expect(lengths.slice(0, -1).map((n) => Math.round(n / 1e6))).toEqual([6, 3, 9, 0]);
    expect(decodeTickParts(encodeTickParts(tick, 700_000), sha256)).toEqual(tick);
  });

  it('travels in pieces that are never larger than asked, even when one value is', () => {
    const huge = tickOf([base, { ...base, patch: `{"note": "${'🙂'.repeat(5_000)}"}` as JsonText }, base]);
    const parts = [...encodeTickParts(huge, 1_001)];
    expect(parts.length).toBeGreaterThan(10);
    expect(Math.max(...parts.map((p) => p.length))).toBeLessThanOrEqual(1_001);
    expect(decodeTickParts(parts.map((p) => Buffer.from(p).toString()))).toEqual(huge);
  });
});

describe('what is no tick is refused with a named error', () => {
  const [header, line] = encodeTickText(tickOf([base])).split('\n') as [string, string];
  const field = (n: number, text: string): string =>
    [
      header,
      line
        .split('\t')
        .map((f, i) => (i === n ? text : f))
        .join('\t'),
    ].join('\n');
  const head = (from: string | RegExp, to: string): string => `${header.replace(from, to)}\n${line}`;

  it.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['an array', '[]'],
    ['null', 'null'],
    ['an origin that is no region', head('"us"', '"__proto__"')],
    ['a seq of 0', head('"seq":7', '"seq":0')],
    ['a seq that no number holds', head('"seq":7', '"seq":9007199254740993')],
    ['a fraction for a seq', head('"seq":7', '"seq":7.5')],
    ['text for a seq', head('"seq":7', '"seq":"7"')],
    ['deps that are a list', head(/"deps":\{[^}]*\}/, '"deps":[]')],
    ['a region "__proto__" in deps', head('"deps":{', '"deps":{"__proto__":1,')],
    ['a negative entry in deps', head('"eu":4', '"eu":-4')],
    ['a stamp above 64 bits', head(/"stamp":"\d+"/, '"stamp":"9223372036854775808"')],
    ['a stamp as a number', head(/"stamp":"\d+"/, '"stamp":1')],
    ['a digest of forbidden characters', head('"previous":"ab12"', '"previous":"a\\nb"')],
    ['fewer changes than announced', header],
    ['more changes than announced', `${header}\n${line}\n${line}`],
    ['a change cut short', `${header}\n${line.slice(0, 40)}`],
    ['a change of too many fields', `${header}\n${line}\t`],
    ['an unknown operation', field(1, 'x')],
    ['an insert with an old image', field(1, 'i')],
    ['an update without a new image', field(8, '')],
    ['a table that is no string', field(0, '{}')],
    ['a key that is no list', field(2, '{}')],
    ['an empty key', field(2, '[]')],
    ['a NULL in a key', field(2, '[null]')],
    ['a key of numbers', field(2, '[1]')],
    ['an id in hexadecimal', field(3, '0x10')],
    ['an id beyond 2^53', field(3, '9007199254740993')],
    ['a wall clock with an exponent', field(5, '1e5')],
    ['a negative epoch', field(6, '-1')],
    ['a number among the values', field(8, '{"qty": 5}')],
    ['an object among the values', field(8, '{"qty": {}}')],
    ['values that are a list', field(8, '[]')],
    ['broken JSON among the values', field(8, '{"qty": "5"')],
    ['a NUL in a value, which PostgreSQL cannot store', field(8, '{"qty": "\\u0000"}')],
    ['half a surrogate pair in a value', field(8, '{"qty": "\\ud800"}')],
    ['ranks of the wrong length', field(10, '{"qty":["1","2"]}')],
    ['ranks of numbers', field(10, '{"qty":[1,2,3]}')],
    ['unseen of text', field(11, '{"eu":"3"}')],
  ])('%s', (_what, text) => {
    expect(() => decodeTickText(text)).toThrow(MalformedTickError);
  });

  it('a version of the future, naming it and the cure', () => {
    expect(() => decodeTickText(head('"v":1', '"v":2'))).toThrow(UnknownWireVersionError);
    expect(() => decodeTickText(head('"v":1', '"v":2'))).toThrow(/version 2: upgrade this region/);
  });

  it('accepts escapes that merely look like a NUL', () => {
    const text = '{"qty": "\\\\u0000 \\u00e9"}';
    expect(decodeTickText(field(8, text)).changes[0]!.patch).toBe(text);
  });
});

describe('a tick decoded with its digest checked', () => {
  const text = encodeTickText(tickOf(everyKind));

  it('I5: is the one that its origin cut', () => {
    expect(decodeTickParts([text], sha256)).toEqual(tickOf(everyKind));
    expect(decodeTickParts([encodeTickText(tickOf([]))], sha256)).toEqual(tickOf([]));
  });

  it.each([
    ['a value', '"qty": "5"', '"qty": "6"'],
    ['an id', '\t91\t', '\t95\t'],
    ['the deps', '"eu":4', '"eu":3'],
    ['the predecessor', '"previous":"ab12"', '"previous":"ab13"'],
    ['the digest', '"digest":"', '"digest":"0'],
    ['white space', '"note": null', '"note":  null'],
  ])('I5: is refused when %s was altered', (_what, from, to) => {
    expect(text).toContain(from);
    expect(() => decodeTickParts([text.replace(from, to)], sha256)).toThrow(AlteredTickError);
  });
});
