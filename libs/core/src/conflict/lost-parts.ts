import { type Values, valueIn } from '../change/change.js';
import { addDecimals, negateDecimal } from '../change/decimal.js';
import { arrayText, elementsOf } from '../merge/array-text.js';
import { documentWith, leavesOf, type Path, pathOf } from '../merge/json-leaves.js';
import type { Register } from '../policy/table-policy.js';
import type { ConflictVersion } from './record.js';

/** What decides a table's columns now, and what its counters were. */
export interface InForce {
  readonly registers: readonly Register[];
  readonly counters: readonly string[];
  /** Under the policy of this epoch; of a version that tells none: as now. */
  readonly countersAt: (epoch: number | undefined) => readonly string[];
}

/** What goes back into a value and leaves the rest of it as others have made it. */
export type Part =
  /** Null: taken away. */
  | { readonly kind: 'leaf'; readonly column: string; readonly path: Path; readonly text: string | null }
  | { readonly kind: 'increment'; readonly column: string; readonly by: string }
  | {
      readonly kind: 'elements';
      readonly column: string;
      readonly added: readonly string[];
      readonly removed: readonly string[];
    };

export interface Lost {
  readonly values: Values;
  readonly parts: readonly Part[];
}

/**
 * What a version lost of these values, as the policy in force would have taken it: of a register nothing where it changed nothing there
 * (one policy took columns together that another does not), of what is merged by now the part that it changed.
 */
export function lostUnder(
  { registers, counters }: InForce,
  base: Values | null,
  version: ConflictVersion,
  offered: Values,
): Lost {
  const isInsert = version.op === 'insert';
  const before = isInsert ? {} : base;
  const changes = (column: string): boolean =>
    isInsert || before === null || (Object.hasOwn(before, column) && before[column] !== offered[column]);
  const values = new Map(Object.entries(offered));
  const parts: Part[] = [];
  for (const { columns, policy } of registers) {
    const own = columns.filter((c) => values.has(c));
    if (own.some(changes)) {
      const changed = before === null ? null : partsChanged(policy, own[0]!, before, offered);
      if (changed === null) continue;
      parts.push(...changed);
    }
    for (const column of own) values.delete(column);
  }
  for (const column of counters.filter((c) => values.has(c))) {
    const by = differenceIn(before, column, values.get(column) ?? '0');
    if (by !== null) parts.push({ kind: 'increment', column, by });
    values.delete(column);
  }
  return { values: Object.fromEntries(values), parts };
}

/** Null: it is no value of parts. */
function partsChanged(policy: Register['policy'], column: string, before: Values, after: Values): Part[] | null {
  const [was, is] = [valueIn(before, column), valueIn(after, column)];
  if (policy.kind === 'map') return leavesChanged(column, was, is);
  if (policy.kind !== 'set' && policy.kind !== 'grow-set') return null;
  const [old, now] = [new Set(elementsOf(was)), new Set(elementsOf(is))];
  const added = [...now].filter((e) => !old.has(e));
  const removed = policy.kind === 'set' ? [...old].filter((e) => !now.has(e)) : [];
  return [{ kind: 'elements', column, added, removed }];
}

function leavesChanged(column: string, before: string | null, after: string | null): Part[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  const gone = [...old.keys()].filter((path) => !now.has(path)).map((path) => [path, null] as const);
  const set = [...now].filter(([path, text]) => old.get(path) !== text);
  return [...gone, ...set].map(([path, text]) => ({ kind: 'leaf', column, path: pathOf(path), text }));
}

/** Null: what it began with is not known. */
function differenceIn(before: Values | null, column: string, value: string): string | null {
  if (before === null) return null;
  return addDecimals(value, negateDecimal(valueIn(before, column) ?? '0'));
}

/** The row's values with these parts. */
export function withParts(parts: readonly Part[], present: Values): Values {
  const values = new Map<string, string | null>();
  for (const part of parts) {
    const value = values.get(part.column) ?? valueIn(present, part.column);
    values.set(part.column, withPart(part, value));
  }
  return Object.fromEntries(values);
}

function withPart(part: Part, value: string | null): string {
  switch (part.kind) {
    case 'leaf':
      return documentWith(value, part.path, part.text);
    case 'increment':
      return addDecimals(value ?? '0', part.by);
    case 'elements': {
      const kept = elementsOf(value).filter((e) => !part.removed.includes(e));
      return arrayText([...new Set([...kept, ...part.added])].sort());
    }
  }
}
