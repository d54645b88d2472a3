/** Waits between attempts: doubling with jitter, so that peers of a healed region do not all come at one moment. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly firstMs = 50,
    private readonly maxMs = 2_000,
    private readonly random: () => number = Math.random,
  ) {}

  reset(): void {
    this.attempts = 0;
  }

  /** Between half and all of min(maxMs, firstMs · 2ⁿ). */
  nextMs(): number {
    const full = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.attempts++, 20));
    return full * (0.5 + this.random() / 2);
  }
}
