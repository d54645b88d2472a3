/** Nonces seen of late: a request that was recorded on the network cannot be sent a second time. */
export class NonceCache {
  /** In order of arrival, which is about the order of expiry. Only signed requests get in, so strangers cannot fill it. */
  private readonly expiry = new Map<string, number>();

  /** False: seen before. */
  remember(nonce: string, now: number, untilMs: number): boolean {
    this.forgetExpired(now);
    if (this.expiry.has(nonce)) return false;
    this.expiry.set(nonce, untilMs);
    return true;
  }

  private forgetExpired(now: number): void {
    for (const [nonce, until] of this.expiry) {
      if (until > now) return;
      this.expiry.delete(nonce);
    }
  }
}
