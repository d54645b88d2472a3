import type { TableName } from '@meridian/core';

/** A table as the catalog describes it; facts only, what they mean for replication is decided in resolve-policy.ts. */
export interface CatalogTable {
  readonly name: TableName;
  readonly oid: number;
  readonly schema: string;
  readonly relation: string;
  /** pg_class.relkind: r table, p partitioned table, v view, m materialized view, f foreign table. */
  readonly kind: string;
  /** pg_class.relpersistence: p permanent, u unlogged, t temporary. */
  readonly persistence: string;
  readonly columns: readonly CatalogColumn[];
  /** Of the primary key, in its order; empty: the table has none. */
  readonly keyColumns: readonly string[];
  readonly indexes: readonly CatalogUniqueIndex[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  /** Foreign keys of other tables that refer to this one. */
  readonly referrers: readonly CatalogReferrer[];
  readonly checks: readonly CatalogCheck[];
  readonly exclusions: readonly string[];
  /**
   * What may write to the table while a statement that writes to it is not captured yet: users' AFTER triggers, of any table, for
   * a writable CTE writes to several, and the row triggers of one fire before capture of the other.
   */
  readonly nestedWriters: readonly string[];
  /** Any enabled trigger but Meridian's: without the replica role, apply would fire it. */
  readonly userTriggers: readonly string[];
  /** The table itself and, below a partitioned one, everything down to the leaves. */
  readonly tree: readonly TreeRelation[];
  readonly isPartition: boolean;
  /** Parents or children by INHERITS, not by partitioning. */
  readonly inheritance: readonly string[];
  readonly rowSecurity: boolean;
  /** May the connected role act as the table's owner? Only then can it install triggers and grant rights. */
  readonly owned: boolean;
  readonly owner: string;
}

export interface CatalogColumn {
  readonly name: string;
  /** pg_attribute.attnum: stays when the column is renamed, and is never used again in its table. */
  readonly number: number;
  /** As `format_type` writes it with an empty search path: `numeric(10,2)`, `shop.status`, `text[]`. */
  readonly type: string;
  /** The same without its modifier: `numeric`. */
  readonly typeName: string;
  readonly notNull: boolean;
  readonly generated: boolean;
  /** Columns that a generated one is computed from. */
  readonly generatedFrom: readonly string[];
  /** GENERATED ALWAYS AS IDENTITY: apply writes it with OVERRIDING SYSTEM VALUE. */
  readonly identityAlways: boolean;
  /** The type below any domains: schema and name, and its pg_type.typtype (b base, e enum, c composite, r range, m multirange). */
  readonly base: { readonly schema: string; readonly name: string; readonly kind: string };
  /** Type modifier of the column or of its domain; -1: none. */
  readonly modifier: number;
  /** Every type that the value is made of (`pg_catalog.timestamptz`), for what its text output depends on. */
  readonly madeOf: readonly string[];
  /** False: equal values may differ in their text, by a nondeterministic collation. */
  readonly deterministic: boolean;
}

export interface CatalogCheck {
  readonly name: string;
  readonly columns: readonly string[];
  /** As PostgreSQL writes it: `CHECK ((stock >= 0))`. */
  readonly definition: string;
}

export interface CatalogUniqueIndex {
  readonly name: string;
  readonly primary: boolean;
  readonly columns: readonly string[];
  readonly nullsDistinct: boolean;
  readonly deferrable: boolean;
  readonly partial: boolean;
  readonly expression: boolean;
  /** On one partition only. */
  readonly onPartition: boolean;
}

export interface CatalogForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
  /** The parent's primary key, in its order, with its types: what a touch of the parent is logged under. */
  readonly parentKey: readonly { readonly name: string; readonly type: string; readonly numeric: boolean }[];
}

export interface CatalogReferrer {
  readonly constraint: string;
  readonly table: TableName;
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
}

export interface TreeRelation {
  readonly oid: number;
  readonly schema: string;
  readonly relation: string;
  readonly leaf: boolean;
  /** A foreign table below a partitioned one: it can have no transition tables. */
  readonly foreign: boolean;
}
