import type { Numbering, TableSpec } from '@meridian/core';
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { CatalogColumn, CatalogReferrer } from '../catalog/catalog-table.js';

/** `spec` as it is stored: core's TableSpec, and beside it what apply has to know of the columns. */
export interface StoredSpec extends TableSpec {
  /** All columns in the table's order, generated ones included. */
  readonly columns: readonly CatalogColumn[];
  /** Of the columns and their types: regions with another one cannot exchange rows. */
  readonly signature: string;
  /** Of the table: the columns' numbers are its. */
  readonly oid: number;
  /** Columns that the regions agreed on, and that are gone here: a change that sets one waits. */
  readonly missing: readonly string[];
  /** Foreign keys of other tables to this one: apply looks whether a row that is to be deleted is referred to. */
  readonly referrers: readonly CatalogReferrer[];
}

/** An enrolled table and its policy; the same in every region. */
@Entity({ schema: 'meridian', name: 'enrolled_table' })
export class EnrolledTableEntity {
  @PrimaryColumn({ type: 'text' })
  rel!: string;

  /** As the user wrote it, defaults filled in. */
  @Column({ type: 'json' })
  policy!: unknown;

  @Column({ type: 'json' })
  spec!: StoredSpec;

  @Column({ type: 'integer' })
  epoch!: number;

  @Column({ type: 'text' })
  state!: string;

  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ type: 'text', nullable: true })
  differs!: string | null;
  /** How the regions share the numbers of its keys' sequences; null until a coordinator has told. */
  @Column({ type: 'json', nullable: true })
  numbering!: Numbering | null;

  @CreateDateColumn({ name: 'enrolled_at', type: 'timestamptz' })
  enrolledAt!: Date;
}
