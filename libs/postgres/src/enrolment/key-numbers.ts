import { keepsTo, numberAbove, type Numbering, type Numbers, type RegionId } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { type CatalogSequence, keySequenceProblems, readKeySequences } from '../catalog/key-sequences.js';
import { ident } from '../catalog/quoting.js';
import { type EnrolmentProblem, problem } from '../catalog/refusal.js';
import { isBuiltIn } from '../catalog/value-text.js';

/** Where a key's sequence stands in one region. Decimal texts. */
export interface KeySequence extends Numbers {
  readonly column: string;
  /** As SQL. */
  readonly sequence: string;
  readonly min: string;
  /** The greatest number that it has given, or that a row has which it could have given. */
  readonly last: string;
}

/** A key's sequence as the enrolment leaves it. */
export interface NumberedKey extends Numbers {
  readonly column: string;
  readonly sequence: string;
  /** False: it was left as it was. */
  readonly set: boolean;
}

export type NumberingOutcome =
  | { readonly kind: 'numbered'; readonly keys: readonly NumberedKey[] }
  | { readonly kind: 'refused'; readonly problems: readonly EnrolmentProblem[] };

/** A region's share of a table's numbers. */
export interface Share {
  readonly region: RegionId;
  readonly numbering: Numbering;
  /** By an earlier enrolment; then a sequence that counts by the step was set by us, and was moved by a setval since. */
  readonly wasShared: boolean;
}

/** Fewer numbers than this are no use to a region: a smallint key has 2,047 at the smallest step. */
const LEAST_NUMBERS = 10_000n;

/**
 * Where the table's key sequences stand. One that counts by 1 is held still till the end of the transaction: it waits for those
 * who have taken a number of it and not committed, and lets nobody take another.
 */
export async function holdKeySequences(client: ClientBase, table: CatalogTable): Promise<readonly KeySequence[]> {
  const standing: KeySequence[] = [];
  for (const sequence of await readKeySequences(client, table)) {
    if (sequence.increment === '1') await client.query(`ALTER SEQUENCE ${sequence.name} INCREMENT BY 1`);
    standing.push(await stand(client, table, sequence));
  }
  return standing;
}

/** The same, with nobody held still: numbers go on while they are looked at. */
export async function readKeyNumbers(client: ClientBase, table: CatalogTable): Promise<readonly KeySequence[]> {
  const standing: KeySequence[] = [];
  for (const sequence of await readKeySequences(client, table))
    if (sequence.owned) standing.push(await stand(client, table, sequence));
  return standing;
}

/**
 * Gives this region numbers of its own: the sequence goes on by the step, above everything that `others` have given and that rows
 * have. One that its user made count otherwise is left alone; whether it meets another region's is for the coordinator to see.
 */
export async function numberKeys(
  client: ClientBase,
  table: CatalogTable,
  share: Share,
  others: readonly KeySequence[],
): Promise<NumberingOutcome> {
  const keys: NumberedKey[] = [];
  const problems: EnrolmentProblem[] = [];
  for (const found of await readKeySequences(client, table)) {
    const unfit = keySequenceProblems([found]);
    problems.push(...unfit);
    if (unfit.length > 0) continue;
    const before = await stand(client, table, found);
    if (!isDue(before, share)) keys.push({ ...numbersOf(before), set: false });
    else {
      const after = firstNumber(before, share, others);
      if (isTooSmall(after)) problems.push(tooSmall(before, after));
      else
        await setSequence(client, found, after, numberAbove(share.numbering, share.region, BigInt(found.start) - 1n));
      keys.push(after);
    }
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'numbered', keys };
}

/** Does an enrolled table's sequence give numbers of other regions: after a setval, or because it was put in place since? */
export async function numbersDrifted(client: ClientBase, table: CatalogTable, share: Share): Promise<boolean> {
  for (const found of await readKeySequences(client, table))
    if (found.owned && isDue(await stand(client, table, found), share)) return true;
  return false;
}

async function stand(client: ClientBase, table: CatalogTable, found: CatalogSequence): Promise<KeySequence> {
  const { column, name: sequence, increment, min, max } = found;
  const { rows } = await client.query<{ last: string; called: boolean }>(
    `SELECT last_value::text AS last, is_called AS called FROM ${sequence}`,
  );
  const { last, called } = rows[0]!;
  const given = called ? BigInt(last) : BigInt(last) - BigInt(increment);
  const inRows = await greatestInRows(client, table, found);
  return {
    ...{ column, sequence, increment, min, max },
    next: String(given + BigInt(increment)),
    last: String(inRows > given ? inRows : given),
  };
}

/** Beyond its bounds a sequence gives nothing: what rows have there does not matter to it. */
async function greatestInRows(client: ClientBase, table: CatalogTable, of: CatalogSequence): Promise<bigint> {
  const column = table.columns.find((c) => c.name === of.column)!;
  const below = BigInt(of.min) - 1n;
  if (!['int2', 'int4', 'int8', 'numeric'].some((type) => isBuiltIn(column, type))) return below;
  const value = ident(column.name);
  const { rows } = await client.query<{ greatest: string | null }>(
    `SELECT floor(max(${value})::numeric)::text AS greatest FROM ${table.name} WHERE ${value} BETWEEN ${of.min} AND ${of.max}`,
  );
  return rows[0]!.greatest === null ? below : BigInt(rows[0]!.greatest);
}

function isDue(sequence: KeySequence, { region, numbering, wasShared }: Share): boolean {
  if (sequence.increment === '1') return true;
  if (keepsTo(numbering, region, sequence)) return BigInt(sequence.next) <= BigInt(sequence.last);
  return wasShared && sequence.increment === String(numbering.step);
}

function firstNumber(sequence: KeySequence, { region, numbering }: Share, others: readonly KeySequence[]): NumberedKey {
  const [min, max] = [BigInt(sequence.min), BigInt(sequence.max)];
  // What another one gives below or above our own bounds is no matter: regions may have ranges of their own.
  const meets = (o: KeySequence): boolean => BigInt(o.min) <= max && BigInt(o.last) >= min;
  const floor = [sequence, ...others.filter((o) => o.column === sequence.column && meets(o))]
    .map((o) => BigInt(o.last))
    .reduce((a, b) => (a > b ? a : b), min - 1n);
  const next = String(numberAbove(numbering, region, floor));
  return { ...numbersOf(sequence), next, increment: String(numbering.step), set: true };
}

const numbersOf = ({ column, sequence, next, increment, max }: KeySequence): Omit<NumberedKey, 'set'> => ({
  ...{ column, sequence, next, increment, max },
});

const isTooSmall = ({ next, increment, max }: Numbers): boolean =>
  (BigInt(max) - BigInt(next)) / BigInt(increment) < LEAST_NUMBERS;

function tooSmall({ column, sequence }: KeySequence, { next, increment, max }: Numbers): EnrolmentProblem {
  return problem(
    'unsupported_key_sequence',
    `the sequence ${sequence} behind "${column}" ends at ${max}: by steps of ${increment} from ${next} on, this region would have fewer than ${LEAST_NUMBERS} numbers`,
    `ALTER TABLE … ALTER COLUMN ${ident(column)} TYPE bigint, and ALTER SEQUENCE ${sequence} AS bigint NO MAXVALUE, in every region`,
  );
}

/** START, too: TRUNCATE … RESTART IDENTITY goes back to it, and must come to numbers of this region. */
const setSequence = async (client: ClientBase, { name }: CatalogSequence, to: Numbers, start: bigint): Promise<void> =>
  void (await client.query(
    `ALTER SEQUENCE ${name} INCREMENT BY ${to.increment} START WITH ${start} RESTART WITH ${to.next}`,
  ));
