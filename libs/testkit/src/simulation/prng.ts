/**
 * Seeded randomness (sfc32). One stream per concern (network, workload, scheduling …), split off by name, so that one more
 * draw in one of them does not shift all the others.
 */
export class Prng {
  private constructor(
    private a: number,
    private b: number,
    private c: number,
    private d: number,
  ) {}

  static of(seed: number, stream: string): Prng {
    const h = hash53(`${seed}/${stream}`);
    const low = h % 0x1_0000_0000;
    const prng = new Prng(low | 0, Math.floor(h / 0x1_0000_0000) | 0, seed | 0, 1);
    for (let i = 0; i < 12; i++) prng.uint32();
    return prng;
  }

  uint32(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + (this.uint32() % (high - low + 1));
  }

  pick<T>(from: readonly T[]): T {
    const chosen = from[this.uint32() % from.length];
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return chosen as T;
  }

  /** Log-uniform: delays are mostly short and sometimes very long. */
  spread(low: number, high: number): number {
    return Math.round(low * Math.pow(high / low, this.unit()));
  }

  shuffle<T>(from: readonly T[]): T[] {
    const out = [...from];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.between(0, i);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** 53 bits of a text (cyrb53): the simulation's digest. Not for secrets; a hundred times cheaper than sha256 here. */
export const hash53 = (text: string): number => {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ code, 2654435761);
    h2 = Math.imul(h2 ^ code, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 0x1_0000_0000 * (0x1f_ffff & h2) + (h1 >>> 0);
};
