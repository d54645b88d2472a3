/** hint: nothing is wrong; it may be better otherwise. The others as for any finding. */
type TableSeverity = 'error' | 'warning' | 'info' | 'hint';

/** What a check of one table has found. */
export interface TableFinding {
  readonly code: string;
  readonly severity: TableSeverity;
  /** The table, or what of it: `public.items.price`, `public.items in eu`. */
  readonly subject: string;
  readonly message: string;
  /** For replication. */
  readonly meaning: string;
  readonly cure: Cure;
}

export interface Cure {
  readonly text: string;
  /** To be run as they are, one by one, in every region where nothing else is said. */
  readonly sql?: readonly string[];
  readonly alternatives?: readonly Alternative[];
}

export interface Alternative {
  readonly text: string;
  readonly sql: readonly string[];
}
