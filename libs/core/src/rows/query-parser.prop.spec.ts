import * as fc from 'fast-check';
import { parseKey, parseTableName } from './name-parser.js';
import { parseQuery } from './query-parser.js';
import { Refused } from './refusal.js';

/** Strings that look like the grammar, so that the parser's corners are met. */
const grammarish = fc
  .array(
    fc.constantFrom(
      'not.',
      'and',
      'or',
      '(',
      ')',
      ',',
      '.',
      '"',
      '\\',
      'eq.',
      'in.',
      'is.',
      'null',
      'a',
      'cs.{',
      '}',
      '*',
      ':',
      'desc',
      '\0',
      ' ',
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));
const anything = fc.oneof(grammarish, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const parameterName = fc.oneof(
  fc.constantFrom('select', 'order', 'limit', 'offset', 'and', 'or', 'not.and', 'on_conflict'),
  anything,
);

function parsesOrRefuses(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    expect(error).toBeInstanceOf(Refused);
  }
}

describe('the query grammar', () => {
  it('either reads a query or refuses it, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(parameterName, anything), { maxLength: 4 }), (parameters) =>
        parsesOrRefuses(() => parseQuery(parameters)),
      ),
      { numRuns: 1000 },
    );
  });

  it('either reads a table name or a key or refuses it', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 3 }), (text, columns) => {
        parsesOrRefuses(() => parseTableName(text));
        parsesOrRefuses(() => parseKey(text, columns));
      }),
    );
  });

  it('reads back any value that was quoted in a list and in a logic tree', () => {
    const value = fc.string({ unit: 'grapheme' }).filter((v) => !v.includes('\0'));
    const quote = (v: string) => `"${v.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(parseQuery([['x', `in.(${quote(a)},${quote(b)})`]]).where).toEqual([
          { kind: 'in', column: 'x', values: [a, b], negated: false },
        ]);
        expect(parseQuery([['or', `(x.eq.${quote(a)},y.not.neq.${quote(b)})`]]).where).toEqual([
          {
            kind: 'or',
            negated: false,
            of: [
              { kind: 'compare', column: 'x', op: 'eq', value: a, negated: false },
              { kind: 'compare', column: 'y', op: 'neq', value: b, negated: true },
            ],
          },
        ]);
      }),
    );
  });
});
