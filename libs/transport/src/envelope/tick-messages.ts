import {
  AlteredTickError,
  decodeTickParts,
  encodeTickParts,
  MalformedTickError,
  UnknownWireVersionError,
  type RegionId,
  type Seq,
  type Tick,
} from '@meridian/core';
import { sha256 } from '../cluster-keys.js';
import type { Envelopes, OpenedEnvelope } from './envelope.js';
import { EnvelopeRefusedError } from './refusal.js';

/** Characters of text in one message: with UTF-8 and bad luck 2.1 MB, compressed usually a tenth. */
const PART_CHARS = 700_000;

/** A tick as the messages that carry it; nearly always one. */
export function sealTick(tick: Tick, envelopes: Envelopes): readonly Buffer[] {
  const parts = [...encodeTickParts(tick, PART_CHARS)];
  return parts.map((text, part) =>
    envelopes.seal({ origin: tick.origin, seq: tick.seq, part, last: part === parts.length - 1 }, text),
  );
}

/**
 * Puts the messages of one origin together again. Gives a tick once its last part is there and its digest agrees with its
 * content. Holds one unfinished tick at most, bounded in size: parts that do not continue it begin anew.
 */
export class TickAssembler {
  private parts: string[] = [];
  private chars = 0;
  private seq = 0;

  constructor(
    private readonly envelopes: Envelopes,
    private readonly origin: RegionId,
    /** In characters. A change is at most PostgreSQL's 1 GB, but V8's texts end at 512 MB. */
    private readonly maxTickChars = 2 ** 29,
  ) {}

  /**
   * The tick that this message completes, if any; null also for ticks below `wanted`, which are not even decompressed.
   * @throws EnvelopeRefusedError
   */
  add(message: Buffer, wanted: Seq): Tick | null {
    const opened = this.envelopes.open(message);
    if (opened.origin !== this.origin)
      throw new EnvelopeRefusedError('wrong_origin', `a tick of ${opened.origin} in the stream of ${this.origin}`);
    if (opened.seq < wanted || !this.continues(opened)) return null;
    this.keep(opened);
    return opened.last ? this.finish() : null;
  }

  private continues(opened: OpenedEnvelope): boolean {
    const same = opened.seq === this.seq;
    if (same && opened.part === this.parts.length) return true;
    // A repeated part changes nothing (I5: it holds the same).
    if (same && opened.part < this.parts.length) return false;
    // A part whose predecessor was lost: the tick will be missing, and a missing tick is fetched.
    this.reset();
    if (opened.part !== 0) return false;
    this.seq = opened.seq;
    return true;
  }

  private keep(opened: OpenedEnvelope): void {
    const text = opened.text();
    this.chars += text.length;
    if (this.chars > this.maxTickChars) {
      this.reset();
      throw new EnvelopeRefusedError('too_large', `tick ${opened.seq} has more than ${this.maxTickChars} characters`);
    }
    this.parts.push(text);
  }

  private finish(): Tick {
    const parts = this.parts;
    const seq = this.seq;
    this.reset();
    const tick = decode(parts);
    if (tick.origin !== this.origin || tick.seq !== seq)
      throw new EnvelopeRefusedError('altered', `the envelope of tick ${seq} holds ${tick.origin}'s tick ${tick.seq}`);
    return tick;
  }

  private reset(): void {
    this.parts = [];
    this.chars = 0;
    this.seq = 0;
  }
}

function decode(parts: readonly string[]): Tick {
  try {
    return decodeTickParts(parts, sha256);
  } catch (cause) {
    if (cause instanceof MalformedTickError) throw new EnvelopeRefusedError('malformed', cause.message, { cause });
    if (cause instanceof AlteredTickError) throw new EnvelopeRefusedError('altered', cause.message, { cause });
    if (cause instanceof UnknownWireVersionError)
      throw new EnvelopeRefusedError('unknown_version', cause.message, { cause });
    throw cause;
  }
}
