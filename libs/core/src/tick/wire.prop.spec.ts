import fc from 'fast-check';
import type { Change, Rank } from '../change/change.js';
import { changeId, regionId, seq, type JsonText, type RowKey, type TableName } from '../ids.js';
import { stamp } from '../stamp.js';
import type { Vector } from '../vector.js';
import type { Tick } from './tick.js';
import { decodeTickParts, decodeTickText } from './tick-decoder.js';
import { MalformedTickError, UnknownWireVersionError } from './wire-decode.js';
import { encodeTickParts, encodeTickText, tickDigest } from './wire.js';

// What PostgreSQL can store: no NUL, no half of a surrogate pair. Odd column names are likelier than by chance.
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((t) => !t.includes('\0'));
const column = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '1', ''));
const region = fc.constantFrom('us', 'eu', 'ap', 'constructor', 'a-1').map(regionId);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const whole = fc.maxSafeNat();
const record = <T>(key: fc.Arbitrary<string>, value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
const vector = record(region, whole.map(seq)) as fc.Arbitrary<Vector>;
const rank: fc.Arbitrary<Rank> = fc.record({ stamp: int64.map(stamp), wall: int64, id: whole.map(changeId) });
const values = record(column, fc.option(text)).map((v) => JSON.stringify(v) as JsonText);
const key = fc.array(text, { minLength: 1, maxLength: 3 }).map((k) => JSON.stringify(k) as RowKey);

const changeOf = ({ origin, seq: number }: Pick<Tick, 'origin' | 'seq'>): fc.Arbitrary<Change> =>
  fc
    .record({
      id: whole.map(changeId),
      table: text.map((t) => t as TableName),
      key,
      op: fc.constantFrom('insert' as const, 'update' as const, 'delete' as const),
      stamp: int64.map(stamp),
      wall: int64,
      epoch: fc.nat(),
      actor: text,
      patch: values,
      before: values,
      ranks: fc.option(record(column, rank)),
      unseen: fc.option(vector),
    })
    .map((c) => ({
      origin,
      seq: number,
      ...c,
      patch: c.op === 'delete' ? (c.id % 2 === 0 ? null : ('{}' as JsonText)) : c.patch,
      before: c.op === 'insert' ? null : c.before,
    }));

const tick: fc.Arbitrary<Tick> = fc
  .record({
    origin: region,
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(seq),
    deps: vector,
    stamp: int64.map(stamp),
    wall: int64,
    previous: fc.stringMatching(/^[0-9a-f]{0,64}$/),
    digest: fc.stringMatching(/^[0-9a-f]{64}$/),
  })
  .chain((header) => fc.array(changeOf(header), { maxLength: 6 }).map((changes) => ({ ...header, changes })));

describe('laws of the wire format', () => {
  it('a tick comes out as it went in', () => {
    fc.assert(fc.property(tick, (t) => expect(decodeTickText(encodeTickText(t))).toEqual(t)));
  });

  it('a tick comes out as it went in, through UTF-8 in pieces of any size', () => {
    fc.assert(
      fc.property(tick, fc.integer({ min: 2, max: 400 }), (t, size) => {
        const parts = [...encodeTickParts(t, size)].map((part) => Buffer.from(part, 'utf8').toString('utf8'));
        expect(parts.join('')).toBe(encodeTickText(t));
        expect(decodeTickParts(parts)).toEqual(t);
      }),
    );
  });

  it('I5: the digest survives the journey, and sees any other text', () => {
    const digest = (content: string): string => content;
    fc.assert(
      fc.property(tick, tick, (a, b) => {
        expect(tickDigest(decodeTickText(encodeTickText(a)), digest)).toBe(tickDigest(a, digest));
        const unsigned = (t: Tick): string => encodeTickText({ ...t, digest: '' });
        expect(tickDigest(a, digest) === tickDigest(b, digest)).toBe(unsigned(a) === unsigned(b));
      }),
    );
  });

  it('a damaged text is a named error or another well-formed tick, never a crash', () => {
    fc.assert(
      fc.property(tick, fc.nat(), fc.nat(8), text, (t, at, remove, insert) => {
        const sent = encodeTickText(t);
        const from = at % sent.length;
        const damaged = sent.slice(0, from) + insert + sent.slice(from + remove);
        try {
          encodeTickText(decodeTickText(damaged));
        } catch (error) {
          expect([MalformedTickError, UnknownWireVersionError]).toContain((error as Error).constructor);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('no text at all pollutes the prototype of objects', () => {
    decodeTickText(encodeTickText({ ...fc.sample(tick, 1)[0]!, changes: [] }));
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() => decodeTickText(json)).toThrow();
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
    );
  });
});
