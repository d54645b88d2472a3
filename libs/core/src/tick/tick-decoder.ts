import type { Change } from '../change/change.js';
import type { Digest } from '../digest.js';
import type { Tick } from './tick.js';
import {
  AlteredTickError,
  decodeChange,
  decodeHeader,
  type DecodedHeader,
  MalformedTickError,
  StringCache,
} from './wire-decode.js';
import { BlockDigests, digestOf } from './wire.js';

/** V8 holds no longer string. A change that would make one is refused where it is written: such a line is nobody's change. */
const LONGEST_LINE = 2 ** 29 - 25;

/**
 * Makes a tick of its pieces as they arrive (`encodeTickParts` cut them anywhere). Of the text it holds the line that is not
 * complete yet, and the block that has no digest yet; the rest is changes already. With a digest, the tick's own is checked;
 * otherwise that is the caller's to do.
 */
export class TickDecoder {
  private header: DecodedHeader | null = null;
  private readonly changes: Change[] = [];
  private readonly blocks: BlockDigests | null;
  private readonly strings = new StringCache();
  /** Joined only when the line's end is seen: a 100 MB value must not be copied per piece. */
  private open: string[] = [];
  private openChars = 0;

  constructor(private readonly digest: Digest | null = null) {
    this.blocks = digest === null ? null : new BlockDigests(digest);
  }

  /** @throws MalformedTickError, UnknownWireVersionError */
  push(piece: string): void {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      this.extend(piece.slice(from, end));
      this.line();
      from = end + 1;
    }
    this.extend(piece.slice(from));
  }

  /** @throws MalformedTickError, UnknownWireVersionError, AlteredTickError */
  finish(): Tick {
    this.line();
    const { count, ...header } = this.header!;
    if (this.changes.length !== count)
      throw new MalformedTickError(`${this.changes.length} changes of ${count} announced`);
    const tick = { ...header, changes: this.changes };
    // Of the lines as they came: they have this digest only if they are the very text that the origin made it of.
    if (this.digest !== null && digestOf(tick, this.blocks!.all(), this.digest) !== tick.digest)
      throw new AlteredTickError(tick.origin, tick.seq);
    return tick;
  }

  private extend(text: string): void {
    this.openChars += text.length;
    if (this.openChars > LONGEST_LINE) throw new MalformedTickError(`a line of more than ${LONGEST_LINE} characters`);
    this.open.push(text);
  }

  private line(): void {
    const line = this.open.length === 1 ? this.open[0]! : this.open.join('');
    this.open = [];
    this.openChars = 0;
    if (this.header === null) {
      this.header = decodeHeader(line);
      return;
    }
    this.blocks?.add(line);
    this.changes.push(decodeChange(line, this.header.origin, this.header.seq, this.strings));
  }
}

export function decodeTickParts(parts: Iterable<string>, digest: Digest | null = null): Tick {
  const decoder = new TickDecoder(digest);
  for (const part of parts) decoder.push(part);
  return decoder.finish();
}

export const decodeTickText = (text: string): Tick => decodeTickParts([text]);
