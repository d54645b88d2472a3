import { resolutionText } from './resolution.js';

describe('a resolution from the command line', () => {
  it('is a version by its place or its change, a value with every digit, or the row as it is', () => {
    expect(resolutionText({ version: '1', columns: 'a,b' })).toBe(
      '{"strategy":"version","version":1,"columns":["a","b"]}',
    );
    expect(resolutionText({ version: 'us/7' })).toBe('{"strategy":"version","version":{"origin":"us","id":7}}');
    expect(resolutionText({ value: '{"n": 12345678901234567890.10}', note: 'a "b"' })).toBe(
      '{"note":"a \\"b\\"","strategy":"value","value":{"n": 12345678901234567890.10}}',
    );
    expect(resolutionText({ accept: true })).toBe('{"strategy":"accept"}');
  });

  it('says what is missing or cannot be read', () => {
    expect(() => resolutionText({})).toThrow(/one of --version, --value and --accept/);
    expect(() => resolutionText({ version: '1', accept: true })).toThrow(/one of/);
    expect(() => resolutionText({ value: '{}', columns: 'a' })).toThrow(/--columns goes with --version/);
    expect(() => resolutionText({ version: 'us' })).toThrow(/us\/7/);
    expect(() => resolutionText({ value: '{a}' })).toThrow(/no JSON/);
  });
});
