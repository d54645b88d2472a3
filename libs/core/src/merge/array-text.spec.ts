import { arrayText, elementsOf } from './array-text.js';

describe('the elements of an array as PostgreSQL writes it', () => {
  it.each([
    [null, []],
    ['{}', []],
    ['{a}', ['a']],
    ['{a,NULL,"NULL",""}', ['a', 'NULL', '"NULL"', '""']],
    ['{"a,b","c}d","e\\"f\\\\","{"}', ['"a,b"', '"c}d"', '"e\\"f\\\\"', '"{"']],
    ['{{1,2},{3,4}}', ['{1,2}', '{3,4}']],
    ['[0:1]={7,8}', ['7', '8']],
    ['{"(1,\\"a b\\")","{}"}', ['"(1,\\"a b\\")"', '"{}"']],
  ])('%s', (text, elements) => {
    expect(elementsOf(text)).toEqual(elements);
    if (text?.startsWith('{')) expect(arrayText(elements)).toBe(text);
  });
});
