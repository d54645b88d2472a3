/** What a client has seen. Shared between clients of different regions, it makes them one session. */
export class Session {
  #token: string | null;

  constructor(token: string | null = null) {
    this.#token = token;
  }

  get token(): string | null {
    return this.#token;
  }

  /** The service merges what came in with the request, so the newest answer holds all. */
  saw(token: string | null): void {
    if (token !== null) this.#token = token;
  }
}
