import fc from 'fast-check';
import { textEdits } from './text-edits.js';

const applied = (from: string, to: string): string =>
  textEdits(from, to).reduce(
    (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
    from,
  );

describe('how a text became another', () => {
  it.each([
    ['the quick fox', 'the slow fox', [{ at: 4, remove: 5, insert: 'slow' }]],
    ['a cat', 'a car', [{ at: 2, remove: 3, insert: 'car' }]],
    ['a b', 'a c b', [{ at: 2, remove: 0, insert: 'c ' }]],
    ['naïve é', 'naïf é', [{ at: 0, remove: 5, insert: 'naïf' }]],
    ['日本語', '日中語', [{ at: 1, remove: 1, insert: '中' }]],
    ['🦊', '🦁', [{ at: 0, remove: 2, insert: '🦁' }]],
    ['same', 'same', []],
  ])('%s → %s', (from, to, edits) => {
    expect(textEdits(from, to)).toEqual(edits);
  });

  it('gives the text, and cuts no sign in two', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'cat', ' ', '  ', '\n', '🦊', '🦁', 'é', '日', '-'), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(words, words, (a, b) => {
        const [from, to] = [a.join(''), b.join('')];
        expect(applied(from, to)).toBe(to);
        for (const { insert } of textEdits(from, to)) expect(() => encodeURIComponent(insert)).not.toThrow();
      }),
    );
  });

  it('of texts that have little in common, one edit, in bounded time', () => {
    const text = (word: string): string => Array.from({ length: 100_000 }, (_, i) => `${word}${i}`).join(' ');
    expect(textEdits(text('a'), text('b'))).toHaveLength(1);
  });
});
