import { rowKeyOf } from './row-key.js';

describe('a key made from values', () => {
  it('reads as json_build_array writes it, for keys are compared as text', () => {
    expect(rowKeyOf(['id', 'region'], { region: 'eu', id: '42', other: 'x' })).toBe('["42", "eu"]');
  });

  it('escapes as PostgreSQL does', () => {
    expect(rowKeyOf(['id'], { id: 'a"b\\c\n\u0001é' })).toBe('["a\\"b\\\\c\\n\\u0001é"]');
  });

  it('is no key when a part of it is NULL or not known, also where Object has a property of that name', () => {
    expect(rowKeyOf(['a', 'b'], { a: '1', b: null })).toBeNull();
    expect(rowKeyOf(['constructor'], {})).toBeNull();
  });
});
