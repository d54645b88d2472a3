/** A receiver, and how what it is told is signed. */
export interface Webhook {
  readonly name: string;
  readonly url: string;
  /** Newest first; each signs, so that a receiver may change from one to the next at any time. */
  readonly secrets: readonly Uint8Array[];
  /** What could not be told for so long is given up. */
  readonly giveUpMs: number;
}
