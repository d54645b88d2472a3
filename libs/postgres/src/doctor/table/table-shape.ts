import type { TableName } from '@meridian/core';
import type { ClientBase } from 'pg';
import type { CatalogTable } from '../../catalog/catalog-table.js';
import { ident } from '../../catalog/quoting.js';
import { type KeySequence, readKeyNumbers } from '../../enrolment/key-numbers.js';
import { readEnrolled } from '../../enrolment/stored-table.js';
import type { TableFacts } from './table-facts.js';

/** A table as one region tells it to another: what has to be alike, and how SQL makes it so. */
export interface TableShape {
  readonly name: TableName;
  /** server_version_num. */
  readonly version: number;
  /** Of its policy; null: it is not enrolled there. */
  readonly epoch: number | null;
  readonly columns: readonly ShapedColumn[];
  readonly constraints: readonly ShapedConstraint[];
  readonly triggers: readonly ShapedTrigger[];
  readonly sequences: readonly KeySequence[];
}

export interface ShapedColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** An expression; of an identity column, none. */
  readonly default: string | null;
  readonly generated: string | null;
}

interface ShapedConstraint {
  readonly name: string;
  /** Without its name: those may differ. */
  readonly rule: string;
  readonly add: string;
  readonly drop: string;
}

export interface ShapedTrigger {
  readonly name: string;
  readonly enabled: string;
  readonly definition: string;
}

export async function readShape(client: ClientBase, table: CatalogTable, facts: TableFacts): Promise<TableShape> {
  const [enrolled] = await readEnrolled(client, table.name);
  const expression = (column: string, generated: boolean): string | null =>
    facts.expressions.find((e) => e.column === column && e.generated === generated)?.expression ?? null;
  return {
    name: table.name,
    version: facts.version,
    epoch: enrolled?.spec.epoch ?? null,
    columns: table.columns.map(({ name, type, notNull }) => ({
      ...{ name, type, notNull },
      ...{ default: expression(name, false), generated: expression(name, true) },
    })),
    constraints: [...constraintsOf(table, facts), ...indexesOf(table, facts)],
    triggers: facts.triggers.map(({ name, enabled, definition }) => ({ name, enabled, definition })),
    sequences: table.owned ? await readKeyNumbers(client, table) : [],
  };
}

const constraintsOf = (table: CatalogTable, { constraints }: TableFacts): ShapedConstraint[] =>
  constraints.map(({ name, definition }) => ({
    ...{ name, rule: definition },
    add: `ALTER TABLE ${table.name} ADD CONSTRAINT ${ident(name)} ${definition}`,
    drop: `ALTER TABLE ${table.name} DROP CONSTRAINT ${ident(name)}`,
  }));

/** A unique index is the same rule as a unique constraint. */
const indexesOf = (table: CatalogTable, { uniqueIndexes }: TableFacts): ShapedConstraint[] =>
  uniqueIndexes
    .filter((i) => !i.constraint && i.relation === table.name)
    .map(({ name, index, definition }) => ({
      name,
      rule: `UNIQUE ${definition.replace(/^.* USING btree /s, '')}`,
      add: definition,
      drop: `DROP INDEX ${index}`,
    }));
