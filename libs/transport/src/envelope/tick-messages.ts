import {
  AlteredTickError,
  encodeTickParts,
  MalformedTickError,
  UnknownWireVersionError,
  type RegionId,
  type Seq,
  type Tick,
  TickDecoder,
} from '@meridian/core';
import { sha256 } from '../cluster-keys.js';
import type { Envelopes, OpenedEnvelope } from './envelope.js';
import { EnvelopeRefusedError } from './refusal.js';

/** Characters of text in one message: with UTF-8 and bad luck 2.1 MB, compressed usually a tenth. */
const PART_CHARS = 700_000;

/** A tick as the messages that carry it; nearly always one. */
export const sealTick = (tick: Tick, envelopes: Envelopes): readonly Buffer[] => [...sealedParts(tick, envelopes)];

/** The same one by one: the text of a large tick is never there as a whole. */
export function* sealedParts(tick: Tick, envelopes: Envelopes): Generator<Buffer> {
  const { origin, seq } = tick;
  let [part, held]: [number, string | null] = [0, null];
  // One behind, for the last part says that it is.
  for (const text of encodeTickParts(tick, PART_CHARS)) {
    if (held !== null) yield envelopes.seal({ origin, seq, part: part++, last: false }, held);
    held = text;
  }
  yield envelopes.seal({ origin, seq, part, last: true }, held!);
}

/**
 * Puts the messages of one origin together again. Gives a tick once its last part is there and its digest agrees with its
 * content. Holds one unfinished tick at most, as changes: parts that do not continue it begin anew. A tick has no bound of its
 * own (it is as large as its origin's transaction); what one part may hold, and what one change, has.
 */
export class TickAssembler {
  private decoder = new TickDecoder(sha256);
  private parts = 0;
  private seq = 0;

  constructor(
    private readonly envelopes: Envelopes,
    private readonly origin: RegionId,
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
    return this.decode(opened);
  }

  private continues(opened: OpenedEnvelope): boolean {
    const same = opened.seq === this.seq;
    if (same && opened.part === this.parts) return true;
    // A repeated part changes nothing (I5: it holds the same).
    if (same && opened.part < this.parts) return false;
    // A part whose predecessor was lost: the tick will be missing, and a missing tick is fetched.
    this.reset();
    if (opened.part !== 0) return false;
    this.seq = opened.seq;
    return true;
  }

  private decode(opened: OpenedEnvelope): Tick | null {
    try {
      this.decoder.push(opened.text());
      this.parts++;
      return opened.last ? this.finish() : null;
    } catch (error) {
      this.reset();
      throw refusal(error);
    }
  }

  private finish(): Tick {
    const { decoder, seq } = this;
    this.reset();
    const tick = decoder.finish();
    if (tick.origin !== this.origin || tick.seq !== seq)
      throw new EnvelopeRefusedError('altered', `the envelope of tick ${seq} holds ${tick.origin}'s tick ${tick.seq}`);
    return tick;
  }

  private reset(): void {
    this.decoder = new TickDecoder(sha256);
    this.parts = 0;
    this.seq = 0;
  }
}

function refusal(cause: unknown): unknown {
  if (cause instanceof MalformedTickError) return new EnvelopeRefusedError('malformed', cause.message, { cause });
  if (cause instanceof AlteredTickError) return new EnvelopeRefusedError('altered', cause.message, { cause });
  if (cause instanceof UnknownWireVersionError)
    return new EnvelopeRefusedError('unknown_version', cause.message, { cause });
  return cause;
}
