import type { Numbering } from '@meridian/core';
import type { Client } from 'pg';
import type { CaptureTarget } from '../capture/capture-target.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { digestOf, type RowHash, rowHashes, type TableDigest } from './digest.js';
import { type KeySequence, numberKeys, type NumberingOutcome } from './key-numbers.js';
import { readPages, replaceRows } from './rows-copy.js';
import { shareOut } from './base-shares.js';
import { storeNumbering } from './stored-table.js';

/** Longer than any region takes to digest its rows; a coordinator that died must not keep a table's writers waiting. */
export const HELD_MS = 60_000;

/**
 * An enrolment that is done but for its commit: the transaction stays open and holds the table's writers back, so that the
 * content that was compared between regions is the content that is enrolled. Rolls back by itself after {@link HELD_MS}.
 */
export class PreparedEnrolment {
  #open = true;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly client: Client,
    private readonly target: CaptureTarget,
    /** `none`: the table is enrolled with this policy already; `policy`: it is enrolled, and decides otherwise from now on. */
    readonly change: 'new' | 'policy' | 'none',
    readonly spec: StoredSpec,
    /** What all regions must decide by: keys, groups, and foreign keys that refer to this table. */
    readonly rules: readonly string[],
    readonly content: TableDigest,
    /** Where the sequences of its keys stand. */
    readonly keySequences: readonly KeySequence[],
    /** As an earlier enrolment agreed on it. */
    readonly numbering: Numbering | null,
    heldMs: number,
  ) {
    this.#timer = setTimeout(() => void this.rollback(), heldMs);
    this.#timer.unref();
    // The server may end a session that waits: the rollback has then happened.
    client.on('error', () => (this.#open = false));
  }

  /** False when it was committed, rolled back, or timed out. */
  get open(): boolean {
    return this.#open;
  }

  /** Rows of the buckets in which two regions differ. */
  async rowsForExamples(buckets: readonly number[], limit = 1_000): Promise<RowHash[]> {
    return rowHashes(this.#held(), this.target, buckets, limit);
  }

  /** This region's rows, for those that copy from it. */
  rows(): AsyncIterable<string> {
    return readPages(this.#held(), this.target);
  }

  /** Brings this region's table to another one's rows; resolves to what it holds then. */
  async replaceRows(pages: AsyncIterable<string>): Promise<TableDigest> {
    await replaceRows(this.#held(), this.target, pages);
    return digestOf(this.#held(), this.target);
  }

  /**
   * Gives the sequences of its keys this region's share of the numbers, and every region its share of the bounded counters.
   * `others`: of all regions, as they were prepared.
   */
  async numberKeys(numbering: Numbering, others: readonly KeySequence[]): Promise<NumberingOutcome> {
    const { region, table, spec } = this.target;
    const share = { region, numbering, wasShared: this.numbering !== null };
    const outcome = await numberKeys(this.#held(), table, share, others);
    if (outcome.kind === 'refused') return outcome;
    await storeNumbering(this.#held(), spec.name, numbering);
    const problems = this.change === 'new' ? await shareOut(this.#held(), this.target, numbering.regions) : [];
    return problems.length === 0 ? outcome : { kind: 'refused', problems };
  }

  async commit(): Promise<void> {
    const client = this.#held();
    this.#close();
    try {
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
  }

  async rollback(): Promise<void> {
    if (!this.#open) return;
    this.#close();
    // Ending the session rolls back, and works on a session that is busy too.
    await this.client.end();
  }

  #held(): Client {
    if (!this.#open)
      throw new Error(`the enrolment of ${this.spec.name} was held too long, or has ended: prepare it again`);
    return this.client;
  }

  #close(): void {
    this.#open = false;
    clearTimeout(this.#timer);
  }
}
