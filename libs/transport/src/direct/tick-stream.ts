import type { IncomingMessage } from 'node:http';
import type { RegionId, Seq, Tick } from '@meridian/core';
import type { Envelopes } from '../envelope/envelope.js';
import { TickAssembler } from '../envelope/tick-messages.js';
import type { PeerClient } from '../peers/peer-client.js';
import { FrameReader } from './frames.js';
import { TICKS_PATH } from './tick-server.js';

export interface StreamRequest {
  /** Whom to ask; the origin itself or any peer that has its ticks. */
  readonly peer: RegionId;
  readonly origin: RegionId;
  readonly from: Seq;
  readonly to?: Seq;
  readonly waitMs?: number;
}

export interface StreamOptions {
  /** Without a byte, not even a sign of life. */
  readonly idleTimeoutMs: number;
  /** Without a byte of a tick: an origin that lives gives a heartbeat every second, but a large tick may take long to arrive. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly onOpen?: () => void;
}

/** Nothing came for so long: the connection is half-open, the peer hangs, or it lives and has no ticks for us. */
class PeerSilentError extends Error {
  readonly code = 'peer_silent';
  constructor(peer: RegionId, what: 'byte' | 'tick', ms: number) {
    super(`${peer}: no ${what} for ${ms} ms`);
    this.name = 'PeerSilentError';
  }
}

/**
 * Ticks from one peer over one connection, until it ends, fails or the signal aborts. Pulled: while the caller is busy the
 * socket is not read, TCP's window closes and the peer stops reading its log.
 */
export async function* streamTicks(
  client: PeerClient,
  envelopes: Envelopes,
  asked: StreamRequest,
  options: StreamOptions,
): AsyncGenerator<Tick> {
  const res = await client.stream(asked.peer, requestPath(asked), options.signal);
  options.onOpen?.();
  const frames = new FrameReader();
  const assembler = new TickAssembler(envelopes, asked.origin);
  let wanted = asked.from;
  let idleSince = Date.now();
  try {
    for await (const chunk of chunksOf(res, asked.peer, options, () => idleSince)) {
      for (const message of frames.push(chunk)) {
        const tick = assembler.add(message, wanted);
        if (tick === null) continue;
        wanted = (tick.seq + 1) as Seq;
        yield tick;
        idleSince = Date.now();
      }
      if (frames.tickOnItsWay) idleSince = Date.now();
    }
  } finally {
    res.destroy();
  }
}

function requestPath(asked: StreamRequest): string {
  const query = new URLSearchParams({ origin: asked.origin, from: String(asked.from) });
  if (asked.to !== undefined) query.set('to', String(asked.to));
  if (asked.waitMs !== undefined) query.set('wait', String(asked.waitMs));
  return `${TICKS_PATH}?${query.toString()}`;
}

/** The clocks of both timeouts run only while we wait for bytes, not while the caller applies what came. */
async function* chunksOf(
  res: IncomingMessage,
  peer: RegionId,
  { idleTimeoutMs, stallMs }: StreamOptions,
  idleSince: () => number,
): AsyncGenerator<Buffer> {
  const chunks = res[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const untilStall = idleSince() + stallMs - Date.now();
    const silent =
      untilStall < idleTimeoutMs
        ? new PeerSilentError(peer, 'tick', stallMs)
        : new PeerSilentError(peer, 'byte', idleTimeoutMs);
    const timer = setTimeout(() => res.destroy(silent), Math.max(0, Math.min(untilStall, idleTimeoutMs)));
    try {
      const next = await chunks.next();
      if (next.done === true) return;
      clearTimeout(timer);
      yield next.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
