import type { RowRef, Values } from '@meridian/core';
import { keyOf, LocalTransaction, type MemoryDatabase, type Statement } from './memory-store/index.js';
import type { SimulationOptions } from './options.js';
import { PeopleWriter } from './people-writer.js';
import type { Prng } from './prng.js';
import { editedDocument, editedPlan, editedText, NEW_BOARD, toggled } from './boards.js';
import { ACCOUNTS, BOARDS, CHILDREN, ITEMS, PARENTS, STOCKS, VISITS } from './schema.js';
import type { Agent, WaitQueue } from './scheduler.js';

/** One SQL client of a region: transactions of several statements, with savepoints, rollbacks and thinking in between. */
export class Writer {
  private written = 0;
  private readonly people: PeopleWriter;

  constructor(
    private readonly db: MemoryDatabase,
    private readonly agent: Agent,
    private readonly prng: Prng,
    private readonly options: SimulationOptions,
  ) {
    this.people = new PeopleWriter(db, prng, options.deletes);
  }

  /** Writes in bursts, as long as the run lasts. */
  async write(inBurst: () => boolean, burst: WaitQueue): Promise<void> {
    for (;;) {
      if (!inBurst()) await this.agent.wait(burst, Infinity);
      await this.agent.sleep(this.prng.spread(50, this.options.think * 2));
      if (inBurst()) await this.transaction();
    }
  }

  /** What the region's leader does besides, again and again. */
  async moveShares(moving: () => boolean): Promise<void> {
    while (moving()) {
      await this.agent.sleep(this.prng.spread(500, 20_000));
      for (const id of Array.from({ length: this.options.rows }, (_, i) => String(i + 1))) {
        const tx = new LocalTransaction(this.db, this.agent, 'meridian');
        if (await tx.give(this.ref(STOCKS, id))) await tx.commit();
        else await tx.rollback();
      }
    }
  }

  private async transaction(): Promise<void> {
    const tx = new LocalTransaction(this.db, this.agent, this.agent.name);
    const kinds = [
      () => this.items(tx),
      ...(this.options.transfers ? [() => this.transfer(tx)] : []),
      ...(this.options.family ? [() => this.family(tx)] : []),
      ...(this.options.enrolments ? [() => this.visit(tx)] : []),
      ...(this.options.stocks ? [() => this.stock(tx), () => this.stock(tx)] : []),
      ...(this.options.boards ? [() => this.board(tx), () => this.board(tx)] : []),
      ...(this.options.people ? [() => this.person(tx), () => this.person(tx)] : []),
    ];
    const ended = await this.prng.pick(kinds)();
    if (ended === 'aborted' || this.prng.chance(this.options.rollbacks)) await tx.rollback();
    else await tx.commit();
  }

  /** Runs a statement; on failure the transaction is over, unless a savepoint brings it back. */
  private async guarded(tx: LocalTransaction, statement: () => Promise<Statement>): Promise<'going on' | 'aborted'> {
    const back = this.prng.chance(0.2) ? await tx.savepoint() : null;
    const result = await statement();
    const failed = result !== 'done' && result !== 'no row';
    if (back !== null && (failed || this.prng.chance(0.3))) back();
    return failed && back === null ? 'aborted' : 'going on';
  }

  private async items(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    const rows = this.prng.shuffle(Array.from({ length: this.options.rows }, (_, i) => String(i + 1)));
    for (const id of rows.slice(0, this.prng.between(1, 2)))
      for (let again = this.prng.pick([1, 1, 2]); again > 0; again--)
        if ((await this.guarded(tx, () => this.item(tx, id))) === 'aborted') return 'aborted';
    return 'going on';
  }

  private async item(tx: LocalTransaction, id: string): Promise<Statement> {
    const ref = this.ref(ITEMS, id);
    if ((await tx.select(ref)) === null) return tx.insert(ITEMS, this.newItem(id));
    if (this.prng.chance(this.options.deletes)) return tx.delete(ref);
    const change = this.itemChange();
    return tx.update(ref, change);
  }

  private newItem(id: string): Values {
    return {
      id,
      x: this.value(),
      y: this.value(),
      list: this.token(),
      g: this.value(),
      h: this.value(),
      u: this.uniqueValue(),
      n: String(this.prng.between(0, 5)),
    };
  }

  private itemChange(): (row: Values) => Values {
    const columns = this.prng.shuffle(['x', 'y', 'list', 'g', 'h', 'n', ...(this.options.unique ? ['u', 'u'] : [])]);
    const chosen = columns.slice(0, this.prng.between(1, 3));
    const [value, token, unique, difference] = [
      this.value(),
      this.token(),
      this.uniqueValue(),
      this.prng.pick([-1, 1, 2]),
    ];
    return (row) => ({
      ...row,
      ...Object.fromEntries(
        chosen.map((column) => {
          if (column === 'list') return [column, `${row['list'] ?? ''},${token}`];
          if (column === 'n') return [column, String(Number(row['n']) + difference)];
          return [column, column === 'u' ? unique : value];
        }),
      ),
    });
  }

  private async visit(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    const id = String(this.prng.between(1, 2));
    const ref = this.ref(VISITS, id);
    const page = this.value();
    return this.guarded(tx, async () => {
      if ((await tx.select(ref)) === null) return tx.insert(VISITS, { id, page, n: '1' });
      if (this.prng.chance(this.options.deletes)) return tx.delete(ref);
      const counts = this.prng.chance(0.7);
      return tx.update(ref, (row) => (counts ? { ...row, n: String(Number(row['n']) + 1) } : { ...row, page }));
    });
  }

  private async stock(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    for (let again = this.prng.pick([1, 1, 2]); again > 0; again--)
      if ((await this.guarded(tx, () => this.stockWrite(tx))) === 'aborted') return 'aborted';
    return 'going on';
  }

  private async stockWrite(tx: LocalTransaction): Promise<Statement> {
    const id = String(this.prng.between(1, this.options.rows));
    const ref = this.ref(STOCKS, id);
    const [name, count, difference] = [this.value(), this.prng.between(0, 9), this.prng.pick([-3, -1, -1, 1, 2])];
    if ((await tx.select(ref)) === null) return tx.insert(STOCKS, { id, name, n: String(count) });
    if (this.prng.chance(this.options.deletes)) return tx.delete(ref);
    return tx.update(ref, (row) => ({ ...row, n: String(Number(row['n']) + difference) }));
  }

  private async board(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    const id = String(this.prng.between(1, this.options.rows));
    for (let again = this.prng.pick([1, 1, 2]); again > 0; again--)
      if ((await this.guarded(tx, () => this.boardWrite(tx, id))) === 'aborted') return 'aborted';
    return 'going on';
  }

  private async boardWrite(tx: LocalTransaction, id: string): Promise<Statement> {
    const ref = this.ref(BOARDS, id);
    if ((await tx.select(ref)) === null) return tx.insert(BOARDS, { id, ...NEW_BOARD, title: this.value() });
    if (this.prng.chance(this.options.deletes)) return tx.delete(ref);
    const [value, draw, element] = [this.value(), this.prng.between(0, 99), this.prng.pick(['a', 'b', 'c'])];
    const wide = this.prng.between(0, 99_999);
    const edits: readonly ((row: Values) => Values)[] = [
      () => ({ title: value }),
      () => ({ note: value }),
      () => ({ draft: value }),
      () => ({ top: String(draw - 50) }),
      () => ({ low: String(draw - 50) }),
      () => ({ shown: draw % 2 === 0 ? 'true' : 'false' }),
      () => ({ pinned: draw % 2 === 0 ? 'true' : 'false' }),
      (row) => ({ tags: toggled(row['tags']!, element) }),
      (row) => ({ seen: row['seen']!.includes(element) ? row['seen']! : toggled(row['seen']!, element) }),
      (row) => ({ doc: editedDocument(row['doc']!, draw) }),
      (row) => ({ plan: editedPlan(row['plan']!, wide) }),
      (row) => ({ plan: editedPlan(row['plan']!, wide) }),
      (row) => ({ body: editedText(row['body']!, draw, `w${value.replaceAll(/\W/g, '_')}_`) }),
    ];
    const edit = this.prng.pick(edits);
    return tx.update(ref, (row) => ({ ...row, ...edit(row) }));
  }

  private async transfer(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    const [from, to] = this.prng.shuffle(['a', 'b', 'c']);
    const amount = this.prng.between(1, 9);
    const add = (by: number) => (row: Values) => ({ ...row, balance: String(Number(row['balance']) + by) });
    for (const [account, by] of [
      [from!, -amount],
      [to!, amount],
    ] as const)
      if ((await tx.update(this.ref(ACCOUNTS, account), add(by))) !== 'done') return 'aborted';
    return 'going on';
  }

  private async family(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    for (let i = this.prng.between(1, 2); i > 0; i--)
      if ((await this.guarded(tx, () => this.relative(tx))) === 'aborted') return 'aborted';
    return 'going on';
  }

  private async person(tx: LocalTransaction): Promise<'going on' | 'aborted'> {
    for (let i = this.prng.between(1, 2); i > 0; i--)
      if ((await this.guarded(tx, () => this.people.write(tx, this.value()))) === 'aborted') return 'aborted';
    return 'going on';
  }

  private async relative(tx: LocalTransaction): Promise<Statement> {
    const parent = String(this.prng.between(1, 2));
    const child = String(this.prng.between(1, 3));
    const deletes = this.prng.chance(Math.max(0.2, this.options.deletes));
    const value = this.value();
    if (this.prng.chance(0.5)) {
      const ref = this.ref(PARENTS, parent);
      if ((await tx.select(ref)) === null) return tx.insert(PARENTS, { id: parent, name: value });
      return deletes ? tx.delete(ref) : tx.update(ref, (row) => ({ ...row, name: value }));
    }
    const ref = this.ref(CHILDREN, child);
    if ((await tx.select(ref)) === null) return tx.insert(CHILDREN, { id: child, parent, v: value });
    if (deletes) return tx.delete(ref);
    const change = this.prng.chance(0.5) ? { parent } : { v: value };
    return tx.update(ref, (row) => ({ ...row, ...change }));
  }

  private ref(table: RowRef['table'], id: string): RowRef {
    return { table, key: keyOf(this.db.spec(table), { id }) };
  }

  private value(): string {
    return `${this.agent.name}.${++this.written}`;
  }

  /** Appended once, so it can be looked for. */
  private token(): string {
    return `<${this.value()}>`;
  }

  private uniqueValue(): string | null {
    return this.options.unique ? this.prng.pick([null, 'p', 'q', 'r']) : null;
  }
}
