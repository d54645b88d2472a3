import { Inject, Injectable } from '@nestjs/common';
import type { Visibility } from '@meridian/contract';
import { at, EMPTY_VECTOR, type OriginPosition, origins, type Vector } from '@meridian/core';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { SessionService } from '../session/session.service.js';

/** Which regions have what a token stands for, as far as their last ticks applied here tell: never too early, at times late. */
@Injectable()
export class VisibilityService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
    private readonly sessions: SessionService,
  ) {}

  async of(token: string): Promise<Visibility> {
    const wanted = this.sessions.parse(token);
    const heard = await this.ports.positions.origins();
    const items = this.options.regions.map((region) => this.#seenFrom(region, wanted, heard));
    return { token: { ...wanted }, everywhere: items.every((r) => r.visible), items, next: null };
  }

  #seenFrom(region: string, wanted: Vector, heard: readonly OriginPosition[]): Visibility['items'][number] {
    const last = heard.find((p) => p.origin === region);
    const self = region === this.options.region;
    const have = self ? Object.fromEntries(heard.map((p) => [p.origin, p.seq])) : (last?.deps ?? EMPTY_VECTOR);
    const missing = origins(wanted)
      // A region always has its own writes: its ticks follow from them.
      .filter((origin) => origin !== region && at(have as Vector, origin) < at(wanted, origin))
      .map((origin) => ({ origin: origin, need: at(wanted, origin), have: at(have as Vector, origin) }));
    const knownMs = self ? Date.now() : last?.appliedMs;
    return {
      region: region,
      visible: missing.length === 0,
      missing,
      knownAt: knownMs === undefined ? null : new Date(knownMs).toISOString(),
    };
  }
}
