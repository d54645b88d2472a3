import { randomBytes } from 'node:crypto';
import { encodeTickText, regionId, seq, type Tick } from '@meridian/core';
import { SampleOrigin } from '../contract/sample-ticks.js';
import { Envelopes } from './envelope.js';
import { sealTick, TickAssembler } from './tick-messages.js';

const us = regionId('us');
const envelopes = new Envelopes({ cluster: 'shop', secrets: ['s3cret'] });
const origin = new SampleOrigin(us);
const small = origin.tick({ qty: '1' });
const large = origin.tick({ note: randomBytes(1_200_000).toString('hex') });
const next = origin.tick({ qty: '2' });

const joined = (messages: readonly Buffer[], wanted = 1): readonly (Tick | null)[] => {
  const assembler = new TickAssembler(envelopes, us);
  return messages.map((m) => assembler.add(m, seq(wanted)));
};
const sealed = (tick: Tick, text = encodeTickText(tick)): Buffer =>
  envelopes.seal({ origin: tick.origin, seq: tick.seq, part: 0, last: true }, text);

describe('the messages of a tick', () => {
  const parts = sealTick(large, envelopes);

  it('are one for a small tick, several for a large one', () => {
    expect(sealTick(small, envelopes)).toHaveLength(1);
    expect(parts).toHaveLength(4);
    for (const part of parts) expect(part.length).toBeLessThan(1_000_000);
  });

  it('give the tick with the last of them, and nothing before', () => {
    expect(joined([...sealTick(small, envelopes), ...parts])).toEqual([small, null, null, null, large]);
  });

  it('may be repeated, one by one or from the start', () => {
    for (const order of [
      [0, 1, 1, 2, 2, 3],
      [0, 1, 0, 1, 2, 3],
      [0, 1, 2, 0, 3],
      [0, 0, 1, 2, 3],
    ])
      expect(joined(order.map((part) => parts[part]!)).at(-1)).toEqual(large);
  });

  it('give nothing when one is lost, and the next tick all the same', () => {
    expect(joined([parts[0]!, parts[2]!, parts[3]!, ...sealTick(next, envelopes)])).toEqual([null, null, null, next]);
    expect(joined([...parts.slice(1), ...sealTick(next, envelopes)])).toEqual([null, null, null, next]);
  });

  it('of a tick that is applied already are passed over', () => {
    expect(joined([...parts, ...sealTick(next, envelopes)], 3)).toEqual([null, null, null, null, next]);
  });

  it('of another origin are refused', () => {
    const stranger = new SampleOrigin(regionId('eu')).tick();
    expect(() => joined([sealed(stranger)])).toThrow(/wrong_origin/);
  });

  it('I5: are refused when the content does not fit its digest, or its envelope', () => {
    const altered = encodeTickText(small).replace('"qty":"1"', '"qty":"9"');
    expect(() => joined([sealed(small, altered)])).toThrow(/altered/);
    expect(() => joined([sealed(next, encodeTickText(small))])).toThrow(/altered/);
  });

  it('are refused when what they hold is no tick, or one of a newer version', () => {
    expect(() => joined([sealed(small, 'hello')])).toThrow(/malformed/);
    const future = encodeTickText(small).replace('"v":1', '"v":9');
    expect(() => joined([sealed(small, future)])).toThrow(/unknown_version/);
  });

  it('give the next tick after one that was refused in the middle', () => {
    const assembler = new TickAssembler(envelopes, us);
    expect(assembler.add(parts[0]!, seq(1))).toBeNull();
    const damaged = envelopes.seal({ origin: us, seq: large.seq, part: 1, last: false }, '\nno change\n');
    expect(() => assembler.add(damaged, seq(1))).toThrow(/malformed/);
    expect([...parts, ...sealTick(next, envelopes)].map((m) => assembler.add(m, seq(1))).at(-1)).toEqual(next);
  });
});
