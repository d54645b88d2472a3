import { Doc, type Text, applyUpdate } from 'yjs';
import { BASE_CLIENT } from './text-client.js';
import { type TextEdit, textEdits } from './text-edits.js';

/** What one writer did to a document; null: nothing. */
export type TextUpdate = Uint8Array | null;

const NAME = 'text';

/** A text as one writer has it: a sequence whose every character keeps its place beside those that others insert unseen (Yjs). */
export class TextReplica {
  private readonly doc: Doc;

  constructor(base: string) {
    this.doc = new Doc();
    this.as(BASE_CLIENT, (text) => text.insert(0, base));
  }

  get text(): string {
    return this.sequence.toJSON();
  }

  take(update: TextUpdate): void {
    if (update !== null) applyUpdate(this.doc, update);
  }

  /** By the least that makes this text of it. */
  become(client: number, text: string): TextUpdate {
    return this.edit(client, textEdits(this.text, text));
  }

  /** Last edit first. */
  edit(client: number, edits: readonly TextEdit[]): TextUpdate {
    return this.as(client, (sequence) => {
      for (const { at, remove, insert } of edits) {
        sequence.delete(at, remove);
        sequence.insert(at, insert);
      }
    });
  }

  /** What was there goes, and this comes behind it: no part of it is the old text's. */
  beginAnew(client: number, text: string): TextUpdate {
    return this.as(client, (sequence) => {
      sequence.delete(0, sequence.length);
      sequence.insert(0, text);
    });
  }

  private get sequence(): Text {
    return this.doc.getText(NAME);
  }

  private as(client: number, edit: (sequence: Text) => void): TextUpdate {
    const made: Uint8Array[] = [];
    const keep = (update: Uint8Array): void => void made.push(update);
    this.doc.clientID = client;
    this.doc.on('update', keep);
    this.doc.transact(() => edit(this.sequence));
    this.doc.off('update', keep);
    return made[0] ?? null;
  }
}
