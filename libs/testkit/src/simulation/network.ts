import type { Prng } from './prng.js';
import type { Micros, Scheduler } from './scheduler.js';

export interface NetworkOptions {
  readonly loss: number;
  readonly duplication: number;
  readonly longestDelay: Micros;
}

/** Loses, repeats, delays and thereby reorders messages; links are cut in one direction at a time. */
export class Network {
  private readonly cut = new Set<string>();
  private healed = false;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly prng: Prng,
    private readonly options: NetworkOptions,
  ) {}

  cutLink(from: string, to: string): void {
    if (!this.healed) this.cut.add(`${from}>${to}`);
  }

  mendLink(from: string, to: string): void {
    this.cut.delete(`${from}>${to}`);
  }

  /** From here on nothing is lost any more: the run has to converge. */
  heal(): void {
    this.healed = true;
    this.cut.clear();
  }

  send(from: string, to: string, deliver: () => void): void {
    const { loss, duplication } = this.options;
    if (this.isCut(from, to) || (!this.healed && this.prng.chance(loss))) return;
    this.later(from, to, deliver);
    if (this.prng.chance(duplication)) this.later(from, to, deliver);
  }

  private later(from: string, to: string, deliver: () => void): void {
    this.scheduler.wakeAt(this.scheduler.now + this.prng.spread(50, this.options.longestDelay), () => {
      if (!this.isCut(from, to)) deliver();
    });
  }

  private isCut(from: string, to: string): boolean {
    return this.cut.has(`${from}>${to}`);
  }
}
