import type { Values } from '../change/change.js';
import { valueIn } from '../change/change.js';
import type { RegionId, RowKey } from '../ids.js';

/** What becomes of a row whose unique value another row has by an earlier claim. */
export type UniqueLoss =
  | { readonly kind: 'park' }
  /** Another value, made by the template. `longest`: characters that the column takes; null: any number. */
  | { readonly kind: 'rename'; readonly column: string; readonly template: string; readonly longest: number | null }
  | { readonly kind: 'null'; readonly column: string }
  | { readonly kind: 'delete' };

/** What becomes of a row whose parent is gone. */
export type ParentLoss =
  /** The parent is kept instead: whoever refers to it touches it, and its delete loses against that. */
  | { readonly kind: 'restore' }
  | { readonly kind: 'park' }
  | { readonly kind: 'null'; readonly columns: readonly string[] }
  | { readonly kind: 'cascade' };

export const PARK: UniqueLoss = { kind: 'park' };
export const RESTORE: ParentLoss = { kind: 'restore' };

/** What a template may name: the value that was lost, the region whose write lost it, and the row's key. */
export const PLACEHOLDERS = ['value', 'region', 'key'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

const PLACEHOLDER = /\{([^{}]*)\}/g;

export const placeholdersOf = (template: string): readonly string[] =>
  [...template.matchAll(PLACEHOLDER)].map((found) => found[1]!);

/** Where a row lost its value. */
export interface LostValue {
  readonly key: RowKey;
  readonly values: Values;
  /** Of the write that lost it. */
  readonly region: RegionId;
}

/**
 * The value that a row gets instead. From the second attempt on a number tells it from the one that was taken as well. What does
 * not fit the column is cut off the value, never off what makes it another one; null: not even that fits.
 */
export function renamed(
  { column, template, longest }: Extract<UniqueLoss, { readonly kind: 'rename' }>,
  { key, values, region }: LostValue,
  attempt: number,
): string | null {
  const numbered = attempt === 1 ? template : `${template} ${attempt}`;
  const value = [...(valueIn(values, column) ?? '')];
  const filled = (of: string): string => {
    const parts: Readonly<Record<Placeholder, string>> = { value: of, region, key: keyText(key) };
    return numbered.replace(PLACEHOLDER, (_, name: Placeholder) => parts[name]);
  };
  const excess = longest === null ? 0 : lengthOf(filled(value.join(''))) - longest;
  if (excess <= 0) return filled(value.join(''));
  const times = placeholdersOf(template).filter((name) => name === 'value').length;
  const kept = times === 0 ? -1 : value.length - Math.ceil(excess / times);
  return kept < 0 ? null : filled(value.slice(0, kept).join(''));
}

/** As PostgreSQL counts them. */
const lengthOf = (text: string): number => [...text].length;

const keyText = (key: RowKey): string => (JSON.parse(key) as string[]).join('-');
