/** What a request asks of a table's rows: PostgREST's grammar as data. Names and values are the request's, unchecked against the catalog. */
export type Comparison = 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte' | 'like' | 'ilike' | 'cs' | 'cd' | 'ov';
export type Truth = 'null' | 'true' | 'false' | 'unknown';

export type Condition = { readonly negated: boolean } & (
  | { readonly kind: 'compare'; readonly column: string; readonly op: Comparison; readonly value: string }
  | { readonly kind: 'in'; readonly column: string; readonly values: readonly string[] }
  | { readonly kind: 'is'; readonly column: string; readonly value: Truth }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Condition[] }
);

export interface Order {
  readonly column: string;
  readonly descending: boolean;
  /** null: PostgreSQL's default, nulls as the greatest value. */
  readonly nulls: 'first' | 'last' | null;
}

/** A column of the answer, by its own name or an alias (`select=n:name`). */
export interface Selected {
  readonly column: string;
  readonly as: string;
}

export interface RowQuery {
  /** All of them hold. */
  readonly where: readonly Condition[];
  /** null: every column. */
  readonly select: readonly Selected[] | null;
  readonly order: readonly Order[];
  readonly limit: number | null;
  readonly offset: number;
}
