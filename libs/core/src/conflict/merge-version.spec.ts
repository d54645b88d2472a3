import { wallText } from './merge-version.js';

describe('a wall clock as merge functions see it', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000Z'],
    [1_700_000_000_123_456n, '2023-11-14T22:13:20.123456Z'],
    [-1n, '1969-12-31T23:59:59.999999Z'],
    [253_402_300_800_000_000n, '+010000-01-01T00:00:00.000000Z'],
    [9_223_372_036_854_775_807n, '9223372036854775807'],
  ])('%s µs is %s', (micros, text) => expect(wallText(micros)).toBe(text));
});
