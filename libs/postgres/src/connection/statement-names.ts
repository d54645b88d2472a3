/**
 * Texts differ by table, columns and shape of a filter only, so most meet a statement that their connection has prepared. Ever
 * new shapes must not fill PostgreSQL's memory: beyond this many, nothing is prepared.
 */
const MOST_PREPARED = 500;

/** A name for each statement's text, the same for the same text. */
export class StatementNames {
  readonly #names = new Map<string, string>();

  constructor(private readonly prefix: string) {}

  /** Undefined: there are too many; it is planned at every run. */
  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MOST_PREPARED) return known;
    const name = `${this.prefix}_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
