/** In place of the next `remove` characters from `at` on, `insert`. Positions are in UTF-16 units of the text before. */
export interface TextEdit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/**
 * More pieces that differ are one edit, from the first to the last: what it takes is their number squared. A bound of the two
 * texts alone, so every region meets it alike.
 */
const MOST_DIFFERENCES = 1_000;

/**
 * How a text became another, whole words at a time, last edit first. By letters, "cat" that became "car" here and "bat" there would be
 * "bar", which nobody wrote, and two rewritten words would share the letters that they happen to have in common.
 */
export function textEdits(from: string, to: string): readonly TextEdit[] {
  if (from === to) return [];
  const start = commonStart(from, to);
  const end = commonEnd(from, to, start);
  const [a, b] = [piecesOf(from.slice(start, from.length - end)), piecesOf(to.slice(start, to.length - end))];
  return differing(a, b).map(({ from: [i, j], to: [k, l] }) => ({
    at: start + lengthOf(a, 0, i),
    remove: lengthOf(a, i, j),
    insert: b.slice(k, l).join(''),
  }));
}

/**
 * Words, runs of blanks, and every other code point for itself: scripts that set no blanks between words are compared sign by sign. By
 * fixed ranges, for what Unicode calls a letter differs from one version of Node to the next.
 */
const PIECE = /[0-9A-Za-z_\u00c0-\u1fff]+|[ \t]+|./gsu;
const WORD = /[0-9A-Za-z_\u00c0-\u1fff]/;
const BLANK = /[ \t]/;

const piecesOf = (text: string): string[] => text.match(PIECE) ?? [];

function commonStart(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  while (i > 0 && !(isBetween(a, i) && isBetween(b, i))) i--;
  return i;
}

function commonEnd(a: string, b: string, start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let n = 0;
  while (n < most && a.charCodeAt(a.length - 1 - n) === b.charCodeAt(b.length - 1 - n)) n++;
  while (n > 0 && !(isBetween(a, a.length - n) && isBetween(b, b.length - n))) n--;
  return n;
}

/** Does no piece go on over this place? */
function isBetween(text: string, place: number): boolean {
  if (place === 0 || place >= text.length) return true;
  const [left, right] = [text[place - 1]!, text[place]!];
  if (isLowSurrogate(right)) return false;
  return !((WORD.test(left) && WORD.test(right)) || (BLANK.test(left) && BLANK.test(right)));
}

export const isLowSurrogate = (unit: string): boolean => unit >= '\udc00' && unit <= '\udfff';

function lengthOf(pieces: readonly string[], start: number, end: number): number {
  let length = 0;
  for (let i = start; i < end; i++) length += pieces[i]!.length;
  return length;
}

interface Differing {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
}

/** Myers, An O(ND) difference algorithm: forwards, with every round kept, and read back from the end. */
function differing(a: readonly string[], b: readonly string[]): Differing[] {
  const rounds = furthest(a, b);
  if (rounds === null) return [{ from: [0, a.length], to: [0, b.length] }];
  const found: Differing[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = rounds.length - 1; d > 0; d--) {
    const reached = rounds[d - 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && reachedAt(reached, k - 1) < reachedAt(reached, k + 1));
    const [beforeX, beforeY] = before(reached, down ? k + 1 : k - 1);
    const [fromX, fromY] = down ? [beforeX, beforeY + 1] : [beforeX + 1, beforeY];
    join(found, { from: [beforeX, fromX], to: [beforeY, fromY] });
    [x, y] = [beforeX, beforeY];
  }
  return found;
}

/** One that ends where the one behind it begins is part of it. */
function join(found: Differing[], next: Differing): void {
  const last = found.at(-1);
  if (last !== undefined && last.from[0] === next.from[1] && last.to[0] === next.to[1])
    found[found.length - 1] = { from: [next.from[0], last.from[1]], to: [next.to[0], last.to[1]] };
  else found.push(next);
}

const before = (reached: Int32Array, k: number): [number, number] => {
  const x = reachedAt(reached, k);
  return [x, x - k];
};

/** Of the diagonals -d, -d + 2 … d of round d, one after another. */
const reachedAt = (reached: Int32Array, k: number): number => reached[(k + reached.length - 1) / 2]!;

/** By round, how far each diagonal gets with that many differences; null: there are too many. */
function furthest(a: readonly string[], b: readonly string[]): readonly Int32Array[] | null {
  const rounds: Int32Array[] = [];
  for (let d = 0; d <= MOST_DIFFERENCES; d++) {
    const last = rounds[d - 1];
    const reached = new Int32Array(d + 1);
    rounds.push(reached);
    for (let k = -d; k <= d; k += 2) {
      let x = last === undefined ? 0 : stepTo(last, k, d);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reached[(k + d) / 2] = x;
      if (x >= a.length && x - k >= b.length) return rounds;
    }
  }
  return null;
}

const stepTo = (last: Int32Array, k: number, d: number): number =>
  k === -d || (k !== d && reachedAt(last, k - 1) < reachedAt(last, k + 1))
    ? reachedAt(last, k + 1)
    : reachedAt(last, k - 1) + 1;
