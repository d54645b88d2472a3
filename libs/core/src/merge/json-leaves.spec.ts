import { documentOf, leavesOf } from './json-leaves.js';

describe('the leaves of a jsonb document', () => {
  it.each([
    ['{}', {}],
    ['{"a": 1, "b": {"c": [1, {"d": null}], "e": {}}}', { '["a"]': '1', '["b","c"]': '[1, {"d": null}]' }],
    ['[1, 2]', { '[]': '[1, 2]' }],
    ['null', { '[]': 'null' }],
    ['{"__proto__": {"constructor": "x"}}', { '["__proto__","constructor"]': '"x"' }],
  ])('%s', (text, leaves) => {
    expect(Object.fromEntries(leavesOf(text))).toEqual(leaves);
  });

  it.each(['1', '-1', '0', '-0', '0.10', '1.0', '123456789012345', '12345678901234567890', '1e2', '-0.0', '1E400'])(
    'the number %s keeps its digits, also beside a text like it',
    (digits) => {
      expect([...leavesOf(`{"a": ${digits}, "b": "${digits}", "c": [${digits}]}`).values()]).toEqual([
        digits,
        `"${digits}"`,
        `[${digits}]`,
      ]);
    },
  );

  it('make the document again, as PostgreSQL orders and writes it, to the last digit', () => {
    const text =
      '{"b": 1e400, "é": "\\u0001\\t/", "aa": {"x": 0.10000000000000000000000000000001, "y": [true, "q\\"", []]}}';
    const written =
      '{"b": 1e400, "aa": {"x": 0.10000000000000000000000000000001, "y": [true, "q\\"", []]}, "é": "\\u0001\\t/"}';
    expect(documentOf(leavesOf(text))).toBe(written);
    expect(documentOf(leavesOf('{"a": {}}'))).toBe('{}');
    expect(leavesOf(null).size).toBe(0);
  });
});
