/** Rows in one statement: beyond some thousand the text of its parameter costs more than the round trips saved. */
const ROWS = 4_000;
/** Its characters, unless one row has more: a parameter is one string here, and one value of at most 1 GB there. */
const CHARS = 16_000_000;

/** Items in runs that one statement takes each; nearly always one. */
export function portions<T>(items: readonly T[], charsOf: (item: T) => number): readonly (readonly T[])[] {
  const runs: (readonly T[])[] = [];
  let [from, chars] = [0, 0];
  for (const [i, item] of items.entries()) {
    const size = charsOf(item);
    if (i > from && (i - from >= ROWS || chars + size > CHARS)) {
      runs.push(items.slice(from, i));
      [from, chars] = [i, 0];
    }
    chars += size;
  }
  if (items.length > from) runs.push(from === 0 ? items : items.slice(from));
  return runs;
}

/** More than the characters of one statement. */
export function exceedOneStatement<T>(items: readonly T[], charsOf: (item: T) => number): boolean {
  let chars = 0;
  return items.some((item) => (chars += charsOf(item)) > CHARS);
}

/** Each made and sent when the one before it is answered: the texts of a large batch are not all to wait in the driver at once. */
export async function inPieces(pieces: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const piece of pieces) await piece();
}
