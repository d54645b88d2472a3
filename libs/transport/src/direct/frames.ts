import { EnvelopeRefusedError } from '../envelope/refusal.js';

/*
 * The stream's body: messages, each after its length (uint32, big-endian). A length of 0 is a sign of life: it tells a
 * connection whose other end is gone (half-open TCP) from a relay that has nothing to say.
 */
export const SIGN_OF_LIFE = Buffer.alloc(4);

const WORKING_LENGTH = 0xffff_ffff;
/** A sign of life that says more: a tick is being made that takes long. Who gave up on it would have it made again for ever. */
export const WORKING = Buffer.alloc(4, 0xff);

/** A part's text compressed, which never exceeds its bounded text by much. */
const MAX_MESSAGE_BYTES = 5 * 1024 * 1024;

export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts arriving bytes into messages. Holds one unfinished message at most. */
export class FrameReader {
  private pending: Buffer[] = [];
  private size = 0;
  private working = false;

  /** @throws EnvelopeRefusedError */
  *push(chunk: Buffer): Generator<Buffer> {
    this.working = false;
    this.pending.push(chunk);
    this.size += chunk.length;
    for (let length = this.nextLength(); length !== null && this.size >= 4 + length; length = this.nextLength()) {
      const bytes = this.joined();
      this.pending = [bytes.subarray(4 + length)];
      this.size -= 4 + length;
      if (length > 0) yield bytes.subarray(4, 4 + length);
    }
  }

  /** Part of a message has come, and its rest has not; or the last bytes said that one is being made. */
  get tickOnItsWay(): boolean {
    return this.size > 0 || this.working;
  }

  /** Joined only when a message is complete (or its length is split): a large one must not be copied per chunk. */
  private nextLength(): number | null {
    if (this.size < 4) return null;
    const head = this.pending[0]!.length >= 4 ? this.pending[0]! : this.joined();
    const length = head.readUInt32BE(0);
    if (length === WORKING_LENGTH) {
      this.working = true;
      return 0;
    }
    if (length > MAX_MESSAGE_BYTES)
      throw new EnvelopeRefusedError('too_large', `a message of ${length} bytes; ${MAX_MESSAGE_BYTES} is the most`);
    return length;
  }

  private joined(): Buffer {
    if (this.pending.length > 1) this.pending = [Buffer.concat(this.pending, this.size)];
    return this.pending[0]!;
  }
}
