import { type ConflictRecord, type Operator, Refused, type ShownConflict, type Written } from '@meridian/core';

/** A conflict as the reader shows it, with what operators decided. */
export interface DecidedConflict {
  readonly record: ConflictRecord;
  readonly key: readonly string[];
  readonly version: string;
  /** The last decision, whether it still stands or not; null: there was none. */
  readonly decision: Decision | null;
  readonly createdAt: string;
}

interface Decision {
  readonly strategy: string;
  readonly by: string;
  readonly written: Written | null;
}

export function parseConflict({ conflict, version }: ShownConflict): DecidedConflict {
  const { key, decision, createdAt, ...record } = JSON.parse(conflict) as Omit<ConflictRecord, 'key'> &
    Pick<DecidedConflict, 'key' | 'decision' | 'createdAt'>;
  return { record: { ...record, key: JSON.stringify(key) } as ConflictRecord, key, version, decision, createdAt };
}

/** The decision that stands; null: the conflict is open. */
export const standing = ({ decision }: DecidedConflict): Decision | null =>
  decision === null || decision.strategy === 'undone' || decision.strategy === 'reopened' ? null : decision;

export function requireVersion({ record, version }: DecidedConflict, operator: Operator): void {
  if (operator.version === null || operator.version === version) return;
  throw new Refused(
    'conflict_changed',
    `the conflict has changed since that ETag: look at GET /v1/conflicts/${record.id} again, and decide anew`,
    { version },
  );
}

/** What nobody looked at is not to be overruled, and what was withdrawn has overwritten nothing. */
export function requireOpen(conflict: DecidedConflict, operator: Operator): void {
  const { record, version } = conflict;
  if (standing(conflict) !== null && operator.version === null)
    throw new Refused(
      'conflict_decided',
      `${nameOf(standing(conflict)!.by)} has decided it: to overrule that, send its present version as If-Match: "${version}", or undo it first`,
      { version },
    );
  if (record.status === 'withdrawn')
    throw new Refused(
      'conflict_withdrawn',
      'what had been overwritten is the winner after all: there is nothing to resolve. Change the row under /v1/data if need be',
      { version },
    );
}

export function requireNote(
  conflict: DecidedConflict,
  kind: string,
  note: string | null,
  { actor }: Pick<Operator, 'actor'>,
): void {
  if (note !== null) return;
  const before = standing(conflict);
  // Who does not say who they are cannot be told from somebody else.
  const overrules = before !== null && (before.by !== actor || actor === '');
  if (kind !== 'value' && !overrules) return;
  throw new Refused(
    'note_required',
    overrules
      ? `${nameOf(before.by)} has decided it: say in "note" why it is to be otherwise`
      : 'a value that no region wrote: say in "note" where it comes from',
  );
}

/** What somebody else has decided is not taken back without a word. Who both have not said who they are count as one. */
export function requireNoteToUndo(
  conflict: DecidedConflict,
  note: string | null,
  { actor }: Pick<Operator, 'actor'>,
): void {
  const before = standing(conflict);
  if (note !== null || before === null || before.by === actor) return;
  throw new Refused('note_required', `${nameOf(before.by)} has decided it: say in "note" why that is taken back`);
}

const nameOf = (by: string): string => (by === '' ? 'somebody' : by);
