import fc from 'fast-check';
import { frame, FrameReader, SIGN_OF_LIFE, WORKING } from './frames.js';

describe('the frames of a stream', () => {
  it('come out as they went in, however the network cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.flatMap((m) => [SIGN_OF_LIFE, frame(Buffer.from(m))]));
          const reader = new FrameReader();
          const out: Buffer[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const length = cuts[i % cuts.length]!;
            out.push(...reader.push(bytes.subarray(at, at + length)));
            at += length;
          }
          expect(out.map((b) => [...b])).toEqual(messages.map((m) => [...m]));
        },
      ),
    );
  });

  it('tell a tick that is on its way from a peer that has none', () => {
    const reader = new FrameReader();
    const says = (bytes: Buffer): boolean => {
      for (const _message of reader.push(bytes));
      return reader.tickOnItsWay;
    };
    expect([SIGN_OF_LIFE, WORKING, SIGN_OF_LIFE].map(says)).toEqual([false, true, false]);
    expect(says(Buffer.concat([WORKING, frame(Buffer.from('whole'))]))).toBe(true);
    expect(says(frame(Buffer.from('in two')).subarray(0, 6))).toBe(true);
  });

  it('of a length that no message has are refused before a byte of them is kept', () => {
    const reader = new FrameReader();
    expect(() => [...reader.push(Buffer.from('fffffffe', 'hex'))]).toThrow(/too_large/);
  });
});
