import type { TextOp } from './text-ops.js';
import { editsOfOps } from './text-ops.js';
import { TextReplica } from './text-replica.js';

/** Where both insert at one place, what is there already comes first. */
const [PRESENT_CLIENT, EDIT_CLIENT] = [2, 3];

/** What an edit of `base` makes of the text that has become of it since: both what came between and the edit. */
export function editBeside(base: string, ops: readonly TextOp[], present: string): string {
  const edited = new TextReplica(base);
  edited.edit(EDIT_CLIENT, editsOfOps(base, ops));
  if (edited.text === present) return present;
  edited.take(new TextReplica(base).become(PRESENT_CLIENT, present));
  return edited.text;
}
