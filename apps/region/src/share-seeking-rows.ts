import {
  type KeptAnswer,
  type OnceRequest,
  Refused,
  type RefusalMembers,
  type RowPage,
  type RowQuery,
  type RowStore,
  type RowTable,
  type RowWrite,
  type Selected,
  type TableRef,
  type TaggedRow,
  type Writer,
  type WriteResult,
} from '@meridian/core';

/** How long a write waits for other regions to give: some ticks there and back, and no client's patience. */
const DEADLINE_MS = 1_500;

export interface ShareSeeker {
  /** Asks the other regions for the share that was missing, and does the write again; null: it did not come in time. */
  seek<T>(
    shortage: RefusalMembers,
    deadlineMs: number,
    again: () => Promise<T>,
  ): Promise<{ readonly result: T } | null>;
}

/**
 * Rows whose bounded counters may be short of this region's share: a write that is refused for that asks the other regions for it,
 * waits, and is tried once more. What PostgreSQL refused was rolled back whole, so it can simply be done again.
 */
export class ShareSeekingRows implements RowStore {
  constructor(
    private readonly rows: RowStore,
    private readonly shares: ShareSeeker,
  ) {}

  table(ref: TableRef): Promise<RowTable | null> {
    return this.rows.table(ref);
  }

  read(table: RowTable, query: RowQuery, options: { readonly count: boolean }): Promise<RowPage> {
    return this.rows.read(table, query, options);
  }

  readOne(table: RowTable, key: readonly string[], select: readonly Selected[] | null): Promise<TaggedRow | null> {
    return this.rows.readOne(table, key, select);
  }

  write(write: RowWrite, writer: Writer): Promise<WriteResult> {
    return this.seeking(() => this.rows.write(write, writer));
  }

  transaction<T>(
    writes: readonly RowWrite[],
    writer: Writer,
    conclude: (results: readonly WriteResult[]) => T,
  ): Promise<T> {
    return this.seeking(() => this.rows.transaction(writes, writer, conclude));
  }

  once(
    request: OnceRequest,
    writes: readonly RowWrite[],
    writer: Writer,
    answer: (results: readonly WriteResult[]) => KeptAnswer,
  ): Promise<KeptAnswer> {
    return this.seeking(() => this.rows.once(request, writes, writer, answer));
  }

  private async seeking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'share_exhausted')) throw error;
      const sought = await this.shares.seek(error.members, DEADLINE_MS, work);
      if (sought === null) throw error;
      return sought.result;
    }
  }
}
