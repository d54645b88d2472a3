import type { RegionId, Seq, TickHeader } from '@meridian/core';

/** Another relay of this region has cut this seq: this one must not publish, and has to look who leads. */
export class TickOvertakenError extends Error {
  readonly code = 'tick_overtaken';
  constructor(tick: Pick<TickHeader, 'origin' | 'seq'>, cause: unknown) {
    super(
      `tick ${tick.seq} of ${tick.origin} was cut by another relay of this region, or the applied vector is not at ${tick.seq - 1}`,
      { cause },
    );
    this.name = 'TickOvertakenError';
  }
}

/** A tick made again is not what was shipped (I5): the log was changed by hand, or a policy changed what folds. It is not served. */
export class TickContentError extends Error {
  readonly code = 'tick_content_differs';
  constructor(tick: Pick<TickHeader, 'origin' | 'seq'>, shipped: string, made: string) {
    super(`tick ${tick.seq} of ${tick.origin} was shipped with digest ${shipped}, but the log now makes ${made}`);
    this.name = 'TickContentError';
  }
}

/** Coverage is asked of a tick whose snapshot was dropped with the log: the one who asks is below the stable cut. */
export class TickForgottenError extends Error {
  readonly code = 'tick_forgotten';
  constructor(origin: RegionId, seq: Seq) {
    super(`the snapshot of tick ${seq} of ${origin} is no longer kept: its log was dropped below the stable cut`);
    this.name = 'TickForgottenError';
  }
}
