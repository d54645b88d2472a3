/** Who writes a change, and with which program. */
export interface Writer {
  /** Empty: not said. */
  readonly actor: string;
  /** Null: not known; of a change from before the two were told apart, `actor` has both. */
  readonly application: string | null;
}

/** Between the two in a change's `actor`: PostgreSQL keeps only printable characters of an application's name. */
const BETWEEN = '\t';

/** From the one text that log and wire have of both. */
export function writerOf({ actor }: { readonly actor: string }): Writer {
  const end = actor.lastIndexOf(BETWEEN);
  return end < 0 ? { actor, application: null } : { actor: actor.slice(0, end), application: actor.slice(end + 1) };
}
