import { type Values, valueIn } from '../change/change.js';
import type { RegionId, RowRef } from '../ids.js';
import type { Claim } from '../ports/apply-store.js';
import { millisOf, stamp } from '../stamp.js';
import type { ConflictRecord, ConflictVersion, Overwritten } from './record.js';

/** What a policy of a key had done to a row that lost: as a record names it. */
const KEY_POLICIES: readonly string[] = ['rename', 'null', 'delete', 'cascade'];

export const isKeyAct = ({ overwritten }: Pick<ConflictRecord, 'overwritten'>): boolean =>
  overwritten.some((o) => KEY_POLICIES.includes(o.policy));

/** A write: these columns, or, where the row is not there, the whole one. */
interface GivenBack {
  readonly kind: 'write';
  readonly values: Values;
  readonly whole: Values | null;
}

/** Gives back what the policy took: the values, or the whole row as it was then. */
export function remedyOfKeyAct({ overwritten, base }: ConflictRecord): GivenBack {
  const isGone = overwritten.some(({ columns }) => columns.length === 0);
  const lost = Object.assign({}, ...overwritten.map((o) => o.lost)) as Values;
  return { kind: 'write', values: isGone ? (base ?? lost) : lost, whole: base };
}

/** Of a write that the log knows no more: what its claim tells, and the row as it had become. */
export function forgottenVersion(claim: Claim | null, region: RegionId, values: Values): ConflictVersion {
  return {
    origin: claim?.origin ?? region,
    id: claim?.id ?? 0,
    op: 'update',
    stamp: String(claim?.stamp ?? 0),
    wall: new Date(millisOf(stamp(claim?.stamp ?? 0n))).toISOString(),
    actor: '',
    application: null,
    epoch: 0,
    values,
  };
}

/** What became of one thing that a row had lost, in one sentence. */
export function tellLostValue(
  { name, columns }: { readonly name: string; readonly columns: readonly string[] },
  column: string,
  { other, before, after }: { readonly other: RowRef; readonly before: Values; readonly after: Values },
): string {
  const values = columns.map((c) => valueIn(before, c) ?? 'NULL').join(', ');
  const became = valueIn(after, column);
  return `${values} (${name}) was taken by ${other.table} ${other.key} with the earlier claim: ${column} is ${became === null ? 'NULL' : `renamed to ${became}`}`;
}

export const sentencesOf = (overwritten: readonly Overwritten[]): string =>
  [...new Set(overwritten.map((o) => o.reason))].join('. ');
