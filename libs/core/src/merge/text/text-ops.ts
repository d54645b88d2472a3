import { Refused } from '../../rows/refusal.js';
import { isLowSurrogate, type TextEdit } from './text-edits.js';

/** One step along a text from its start, in UTF-16 units: pass over so many, put these in, or take so many out. */
export type TextOp = { readonly retain: number } | { readonly insert: string } | { readonly delete: number };

/** Last edit first. What the ops do not reach stays. */
export function editsOfOps(text: string, ops: readonly TextOp[]): readonly TextEdit[] {
  const edits: TextEdit[] = [];
  let at = 0;
  for (const [i, op] of ops.entries()) {
    if ('insert' in op) {
      requireWhole(op.insert, i);
      edits.push({ at, remove: 0, insert: op.insert });
      continue;
    }
    const passed = 'retain' in op ? op.retain : op.delete;
    if ('delete' in op) edits.push({ at, remove: passed, insert: '' });
    at += passed;
    requirePlace(text, at, i);
  }
  return edits.reverse();
}

function requirePlace(text: string, at: number, i: number): void {
  if (at > text.length)
    throw unfit(
      `op ${i} goes to ${at}, and the text of "base" has ${text.length} UTF-16 units: count them in the text that came with this version`,
    );
  if (at < text.length && isLowSurrogate(text[at]!))
    throw unfit(
      `op ${i} ends within the character before ${at + 1}: such a character has two UTF-16 units, count both`,
    );
}

/** PostgreSQL's texts have no half characters. */
function requireWhole(insert: string, i: number): void {
  if (/\p{Surrogate}/u.test(insert))
    throw unfit(`op ${i} inserts half of a character (a lone surrogate): insert both halves together`);
}

export const unfit = (message: string, options?: { readonly cause: unknown }): Refused =>
  new Refused('unfit_text_edit', message, {}, options);
