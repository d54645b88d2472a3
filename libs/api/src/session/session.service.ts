import { Inject, Injectable } from '@nestjs/common';
import {
  at,
  reaches,
  EMPTY_VECTOR,
  mergeVectors,
  type OriginPosition,
  origins,
  type Position,
  type RegionId,
  type Seq,
  type Vector,
  withSeq,
} from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { type Consistency, parseConsistency } from './consistency.js';
import { SharedRead } from './shared-read.js';
import { parseToken, tokenOf } from './token.js';
import { Waiting } from './waiting.js';

export interface SessionHeaders {
  readonly token: string | undefined;
  readonly consistency: string | undefined;
}

/** Session guarantees (design 7, I8): a reader with a token never sees less than the token. */
@Injectable()
export class SessionService {
  readonly #position: SharedRead<Position>;
  readonly #vector: SharedRead<Vector>;
  /** The last one seen. Vectors only grow: what it reaches is reached. */
  #latest: Vector = EMPTY_VECTOR;
  readonly #waiting: Waiting;
  readonly #regions: ReadonlySet<string>;
  readonly #self: RegionId;

  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {
    this.#position = new SharedRead(() => ports.positions.position());
    this.#vector = new SharedRead(() => ports.positions.vector());
    this.#waiting = new Waiting(ports.relaying, options.sessionWaitMs);
    this.#regions = new Set(options.regions);
    this.#self = options.region as RegionId;
  }

  /** Waits until this region holds what the request has seen. Resolves to what the answer's token must cover. */
  async enter(headers: SessionHeaders): Promise<Vector> {
    const consistency = parseConsistency(headers.consistency);
    const seen = headers.token === undefined ? EMPTY_VECTOR : parseToken(headers.token, this.#regions);
    if (consistency.level !== 'eventual') await this.#reach(seen);
    if (consistency.level === 'bounded') await this.#reachBound(consistency);
    return seen;
  }

  /**
   * The token after a read: all that it can have seen, and what came in with it. It is asked for after the statement; that
   * the token stands for a little more than was read does no harm.
   */
  async leaveRead(seen: Vector): Promise<string> {
    const { vector, uncut } = await this.#position.read();
    this.#latest = vector;
    return tokenOf(mergeVectors(uncut ? this.#promised(vector) : vector, seen));
  }

  /**
   * The token after a write. Asked for after the commit: ticks may be cut while a write waits for a lock, so a number read
   * inside its transaction could be of a tick before it.
   */
  async leaveWrite(seen: Vector): Promise<string> {
    this.#latest = await this.#vector.read();
    return tokenOf(mergeVectors(this.#promised(this.#latest), seen));
  }

  /** What no tick holds yet is in the next one, or, if a cut has its snapshot already, in the one after it. */
  #promised(vector: Vector): Vector {
    const seq = (at(vector, this.#self) + 2) as Seq;
    this.ports.relaying.promised(seq);
    return withSeq(vector, this.#self, seq);
  }

  parse(token: string): Vector {
    return parseToken(token, this.#regions);
  }

  async #reach(seen: Vector): Promise<void> {
    // What was written here is in this very database, cut or not.
    const needed: Vector = Object.fromEntries(Object.entries(seen).filter(([origin]) => origin !== this.#self));
    if (origins(needed).length === 0) return;
    if (reaches(this.#latest, needed)) return;
    const reached = await this.#waiting.until(async () => {
      this.#latest = await this.#vector.read();
      return reaches(this.#latest, needed);
    });
    if (reached) return;
    const have = this.#latest;
    const missing = origins(needed)
      .filter((o) => at(have, o) < at(needed, o))
      .map((origin) => ({ origin, need: at(needed, origin), have: at(have, origin) }));
    throw new ApiProblem(
      'session_not_reached',
      `after ${this.options.sessionWaitMs} ms ${this.#self} still lacks ${missing.map((m) => `${m.origin} from tick ${m.have + 1} to ${m.need}`).join(', ')}: try again, ask another region, or read with "Meridian-Consistency: eventual"`,
      { missing },
    );
  }

  async #reachBound({ maxStalenessMs }: Extract<Consistency, { level: 'bounded' }>): Promise<void> {
    let stale: readonly { origin: string; stalenessMs: number | null }[] = [];
    const reached = await this.#waiting.until(async () => {
      stale = this.#staler(await this.ports.positions.origins(), maxStalenessMs);
      return stale.length === 0;
    });
    if (reached) return;
    throw new ApiProblem(
      'staleness_bound_not_met',
      `${stale.map((s) => `${s.origin} is ${s.stalenessMs === null ? 'unheard of' : `${Math.round(s.stalenessMs)} ms behind`}`).join(', ')}, the bound is ${maxStalenessMs} ms: try again, widen the bound, or ask another region`,
      { origins: stale },
    );
  }

  #staler(
    positions: readonly OriginPosition[],
    boundMs: number,
  ): readonly { origin: string; stalenessMs: number | null }[] {
    const now = Date.now();
    return this.options.regions
      .filter((region) => region !== this.#self)
      .map((origin) => {
        const wall = positions.find((p) => p.origin === origin)?.wallMs;
        return { origin, stalenessMs: wall === undefined || wall === 0 ? null : Math.max(0, now - wall) };
      })
      .filter(({ stalenessMs }) => stalenessMs === null || stalenessMs > boundMs);
  }
}
