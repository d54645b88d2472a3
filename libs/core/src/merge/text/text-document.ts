import { ContentDeleted, ContentString, Doc, Item, applyUpdate, decodeUpdate, encodeStateAsUpdate } from 'yjs';
import { textClient } from './text-client.js';
import { type TextOp, unfit } from './text-ops.js';

/** The shared type that holds the text in a client's document. */
const SHARED_TEXT = 'text';

/** More parts of an update are not looked at: each costs a search. */
const MOST_PARTS = 10_000;

const ANEW = 'begin a new Y.Doc from the `yjs` of the version, and send what Y.encodeStateAsUpdate gives of it';

/**
 * The document that clients start from. Its characters go by a name made of the text's own digest: every region makes the same bytes,
 * and an update that was made on another text finds nothing to stand on.
 */
function documentOf(text: string, digest: string): Doc {
  const doc = new Doc();
  doc.clientID = clientOf(digest);
  doc.getText(SHARED_TEXT).insert(0, text);
  return doc;
}

/** Ports of Yjs to other languages take clients of 32 bits. */
const clientOf = (digest: string): number => textClient(`text ${digest}`) % 2 ** 32;

export const stateOf = (text: string, digest: string): Uint8Array => encodeStateAsUpdate(documentOf(text, digest));

/** What an update does to the text with this digest. */
export function opsOfUpdate(text: string, digest: string, update: Uint8Array): readonly TextOp[] {
  requireText(update);
  const doc = documentOf(text, digest);
  const made: TextOp[] = [];
  // Formats and embedded things are refused, so that a delta is nothing but ops.
  doc.getText(SHARED_TEXT).observe((event) => void made.push(...(event.delta as readonly TextOp[])));
  try {
    applyUpdate(doc, update);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null)
    throw unfit(`the update builds on what the text of "base" has not, as one of another version does: ${ANEW}`);
  return made;
}

/** Looked at before it is applied, for what it would do to other types could not be told afterwards. */
function requireText(update: Uint8Array): void {
  const { structs, ds } = decoded(update);
  const parts = [...ds.clients.values()].reduce((sum, ranges) => sum + ranges.length, structs.length);
  if (parts > MOST_PARTS)
    throw unfit(`the update has ${parts} parts, and no more than ${MOST_PARTS} are taken: send fewer edits at a time`);
  for (const struct of structs) {
    if (!(struct instanceof Item)) throw unfit(`the update has gaps, or parts that are collected: ${ANEW}`);
    // Null: it goes where the characters beside it are.
    const parent: unknown = struct.parent;
    const isElsewhere = (parent !== null && parent !== SHARED_TEXT) || struct.parentSub !== null;
    if (isElsewhere)
      throw unfit(`the update writes elsewhere than in doc.getText('${SHARED_TEXT}'), which is all that is kept`);
    if (!(struct.content instanceof ContentString || struct.content instanceof ContentDeleted))
      throw unfit('the update has more than characters (formats, embedded things): only plain text is kept');
  }
}

function decoded(update: Uint8Array): ReturnType<typeof decodeUpdate> {
  try {
    return decodeUpdate(update);
  } catch (cause) {
    throw unreadable(cause);
  }
}

const unreadable = (cause: unknown): Error =>
  unfit('"yjs" is no update of Yjs (version 1 of its encoding): send what Y.encodeStateAsUpdate gives', { cause });
