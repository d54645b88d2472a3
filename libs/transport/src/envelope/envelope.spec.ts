import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { regionId, seq } from '@meridian/core';
import { clusterKeys } from '../cluster-keys.js';
import { Envelopes, type EnvelopeHeader } from './envelope.js';
import { EnvelopeRefusedError, type RefusalCode } from './refusal.js';

const identity = { cluster: 'shop', secrets: ['s3cret'] } as const;
const envelopes = new Envelopes(identity);
const header: EnvelopeHeader = { origin: regionId('us'), seq: seq(7), part: 2, last: true };
const message = envelopes.seal(header, 'the text of a tick');
const changed = (at: number, value: number): Buffer => {
  const copy = Buffer.from(message);
  copy[at] = value;
  return copy;
};

function refusal(open: () => unknown): RefusalCode | null {
  try {
    open();
    return null;
  } catch (error) {
    if (error instanceof EnvelopeRefusedError) return error.code;
    throw error;
  }
}

describe('an envelope', () => {
  it('brings its header and its text', () => {
    const { text, ...rest } = envelopes.open(message);
    expect({ ...rest, text: text() }).toEqual({ ...header, text: 'the text of a tick' });
  });

  it('has not changed since it was first sent', () => {
    const golden = Buffer.from(
      readFileSync(join(__dirname, 'golden', 'envelope-1.hex'), 'utf8').replace(/\s/g, ''),
      'hex',
    );
    expect(envelopes.open(golden).text()).toBe('the text of a tick');
    // zstd may find another compression some day; what stands before the payload may not change.
    expect(message.subarray(0, 8)).toEqual(golden.subarray(0, 8));
    expect(message.subarray(44, 60)).toEqual(golden.subarray(44, 60));
  });

  it('is refused by name', () => {
    const cases: readonly (readonly [RefusalCode, Buffer])[] = [
      ['empty', Buffer.alloc(0)],
      ['not_an_envelope', Buffer.from('hello')],
      ['not_an_envelope', Buffer.alloc(100)],
      ['unknown_version', changed(3, '2'.charCodeAt(0))],
      ['truncated', message.subarray(0, 20)],
      ['truncated', message.subarray(0, 58)],
      ['truncated', message.subarray(0, message.length - 1)],
      ['foreign_cluster', changed(5, message[5]! ^ 1)],
      ['bad_signature', Buffer.concat([message, Buffer.from('x')])],
      ['bad_signature', changed(45, 1)],
      ['bad_signature', changed(message.length - 1, 0)],
    ];
    for (const [code, bytes] of cases) expect([code, refusal(() => envelopes.open(bytes))]).toEqual([code, code]);
  });

  it('of another cluster or another secret is refused, also when one of the two is the same', () => {
    for (const other of [
      { cluster: 'shop2', secrets: ['s3cret'] } as const,
      { cluster: 'shop', secrets: ['s4cret'] } as const,
    ])
      expect(refusal(() => new Envelopes(other).open(message))).toBe('foreign_cluster');
  });

  it('is taken with the old secret while the secret is changed, and sealed with the new one', () => {
    const both = new Envelopes({ cluster: 'shop', secrets: ['new', 's3cret'] });
    expect(both.open(message).text()).toBe('the text of a tick');
    expect(refusal(() => envelopes.open(both.seal(header, 'x')))).toBe('foreign_cluster');
  });

  it('never decompresses more than a part may have', () => {
    const bomb = new Envelopes(identity).seal(header, ' '.repeat(5_000_000));
    expect(bomb.length).toBeLessThan(5_000);
    expect(refusal(() => envelopes.open(bomb).text())).toBe('too_large');
  });

  it('needs a secret', () => {
    expect(() => new Envelopes({ cluster: 'shop', secrets: [''] })).toThrow(/set `secret`/);
  });

  it('has keys of its own for each purpose', () => {
    const [a] = clusterKeys(identity, 'envelope');
    const [b] = clusterKeys(identity, 'peer call');
    expect(a.secret.equals(b.secret)).toBe(false);
    expect(a.secret.subarray(0, 4).equals(a.id)).toBe(false);
  });

  it('refuses any damage with a named error, and any bytes at all', () => {
    fc.assert(
      fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        expect(refusal(() => envelopes.open(changed(at, message[at]! ^ flip)))).not.toBeNull();
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(refusal(() => envelopes.open(Buffer.from(bytes)))).not.toBeNull();
        expect(refusal(() => envelopes.open(Buffer.concat([message.subarray(0, 44), bytes])))).not.toBeNull();
      }),
    );
  });

  it('is zstd inside', () => {
    expect(message.subarray(60, 64)).toEqual(zstdCompressSync(Buffer.from('x')).subarray(0, 4));
  });
});
