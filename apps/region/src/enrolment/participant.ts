import { randomUUID } from 'node:crypto';
import type { Numbering, RegionId, TableName, TableRef } from '@meridian/core';
import {
  type Enrolment,
  EnrolmentRefused,
  type GivenEpochs,
  type KeySequence,
  type NumberingOutcome,
  type PreparedEnrolment,
  type RowHash,
  type TableStanding,
} from '@meridian/postgres';

/** One region's part in an enrolment, here or over the network. */
export interface Participant {
  readonly region: RegionId;
  /** What it knows of the table's enrolments, and whether its policy and rules are agreed on already; null: nothing. */
  standing(table: TableRef, policy: unknown): Promise<TableStanding | null>;
  prepare(table: TableRef, policy: unknown, epochs: GivenEpochs): Promise<PrepareOutcome>;
  examples(id: string, buckets: readonly number[]): Promise<readonly RowHash[]>;
  /** Brings this region's rows to those that `from` holds prepared under `fromId`. Resolves to the digest then. */
  copyFrom(id: string, from: RegionId, fromId: string): Promise<string>;
  /** Gives the sequences of its keys this region's numbers. `others`: where all regions' stand. */
  numberKeys(id: string, numbering: Numbering, others: readonly KeySequence[]): Promise<NumberingOutcome>;
  commit(id: string): Promise<void>;
  rollback(id: string): Promise<void>;
  /** Ends the table's enrolment, up to this epoch. Resolves to what keeps it from that: nothing, nearly always. */
  remove(table: TableName, upTo: number): Promise<readonly Problem[]>;
}

export type PrepareOutcome =
  | {
      readonly kind: 'prepared';
      readonly id: string;
      readonly change: 'new' | 'policy' | 'none';
      readonly signature: string;
      readonly columns: readonly string[];
      readonly rules: readonly string[];
      readonly rows: number;
      readonly digest: string;
      readonly buckets: readonly string[];
      readonly keySequences: readonly KeySequence[];
      readonly numbering: Numbering | null;
    }
  | {
      readonly kind: 'refused';
      readonly problems: readonly Problem[];
    };

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly cure: string;
}

export type Prepared = Extract<PrepareOutcome, { kind: 'prepared' }> & { readonly at: Participant };

/** The next page of rows of a prepared enrolment in another region; null after the last. */
export type PageSource = (from: RegionId, id: string) => Promise<string | null>;

/** This region's part: prepared enrolments, by id, until they are committed, rolled back or time out. */
export class LocalParticipant implements Participant {
  private readonly held = new Map<string, PreparedEnrolment>();
  private readonly pages = new Map<string, AsyncIterator<string>>();

  constructor(
    readonly region: RegionId,
    private readonly enrolment: Enrolment,
    private readonly pageOf: PageSource,
    private readonly changed: () => void,
  ) {}

  standing(table: TableRef, policy: unknown): Promise<TableStanding | null> {
    return this.enrolment.standing(table, policy);
  }

  async prepare(table: TableRef, policy: unknown, epochs: GivenEpochs): Promise<PrepareOutcome> {
    this.forgetEnded();
    try {
      const prepared = await this.enrolment.prepare(table, policy, epochs);
      const id = randomUUID();
      this.held.set(id, prepared);
      const { spec, rules, content, change, keySequences, numbering } = prepared;
      const columns = spec.columns
        .map((c) => `${c.name} ${c.type}${c.notNull ? ' NOT NULL' : ''}${c.generated ? ' GENERATED' : ''}`)
        .sort();
      return {
        kind: 'prepared',
        ...{ id, change, signature: spec.signature, columns, rules },
        ...content,
        ...{ keySequences, numbering },
      };
    } catch (error) {
      return { kind: 'refused', problems: problemsOf(error) };
    }
  }

  examples(id: string, buckets: readonly number[]): Promise<readonly RowHash[]> {
    return this.of(id).rowsForExamples(buckets);
  }

  async page(id: string): Promise<string | null> {
    let pages = this.pages.get(id);
    if (pages === undefined) {
      pages = this.of(id).rows()[Symbol.asyncIterator]();
      this.pages.set(id, pages);
    }
    const next = await pages.next();
    if (next.done === true) this.pages.delete(id);
    return next.done === true ? null : next.value;
  }

  async copyFrom(id: string, from: RegionId, fromId: string): Promise<string> {
    return (await this.of(id).replaceRows(this.pagesFrom(from, fromId))).digest;
  }

  private async *pagesFrom(from: RegionId, id: string): AsyncGenerator<string> {
    for (let page = await this.pageOf(from, id); page !== null; page = await this.pageOf(from, id)) yield page;
  }

  numberKeys(id: string, numbering: Numbering, others: readonly KeySequence[]): Promise<NumberingOutcome> {
    return this.of(id).numberKeys(numbering, others);
  }

  async commit(id: string): Promise<void> {
    await this.of(id).commit();
    this.held.delete(id);
    this.changed();
  }

  async rollback(id: string): Promise<void> {
    await this.held.get(id)?.rollback();
    this.held.delete(id);
    this.pages.delete(id);
  }

  async remove(table: TableName, upTo: number): Promise<readonly Problem[]> {
    try {
      await this.enrolment.remove(table, upTo);
    } catch (error) {
      return problemsOf(error);
    }
    this.changed();
    return [];
  }

  private of(id: string): PreparedEnrolment {
    const prepared = this.held.get(id);
    if (prepared === undefined)
      throw new Error(`no enrolment ${id} is prepared in ${this.region}: it was held too long; try again`);
    return prepared;
  }

  private forgetEnded(): void {
    for (const [id, prepared] of this.held) if (!prepared.open) this.held.delete(id);
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof EnrolmentRefused) return error.problems;
  throw error;
}
