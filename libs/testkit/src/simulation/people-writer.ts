import type { RowRef, Values } from '@meridian/core';
import { keyOf, type LocalTransaction, type MemoryDatabase, parentOf, type Statement } from './memory-store/index.js';
import { TEAMS, USERS } from './people.js';
import type { Prng } from './prng.js';

/** Writes users and teams, few of each, so that they meet over their keys. */
export class PeopleWriter {
  constructor(
    private readonly db: MemoryDatabase,
    private readonly prng: Prng,
    private readonly deletes: number,
  ) {}

  async write(tx: LocalTransaction, value: string): Promise<Statement> {
    const ofUser = this.prng.chance(0.7);
    const table = ofUser ? USERS : TEAMS;
    const id = String(this.prng.between(1, ofUser ? 4 : 2));
    const ref = { table, key: keyOf(this.db.spec(table), { id }) };
    const row = ofUser ? this.user(value) : { lead: this.someUser(), name: value };
    if ((await tx.select(ref)) === null) return tx.insert(table, { id, ...row });
    if (this.prng.chance(Math.max(0.15, this.deletes))) return this.deleteWith(tx, ref, new Set());
    const columns = this.prng.shuffle(Object.keys(row)).slice(0, this.prng.between(1, 2));
    const change = Object.fromEntries(columns.map((c) => [c, row[c] ?? null]));
    return tx.update(ref, (present) => ({ ...present, ...change }));
  }

  private user(value: string): Values {
    return {
      email: this.prng.pick([null, 'p', 'q', 'r']),
      nick: this.prng.pick([null, 'x', 'y']),
      boss: this.someUser(),
      team: this.prng.pick([null, '1', '2']),
      v: value,
    };
  }

  private someUser(): string | null {
    return this.prng.pick([null, null, '1', '2', '3', '4']);
  }

  /** As ON DELETE CASCADE and ON DELETE SET NULL do. */
  private async deleteWith(tx: LocalTransaction, ref: RowRef, going: Set<string>): Promise<Statement> {
    going.add(`${ref.table} ${ref.key}`);
    for (const [child, column] of this.childrenOf(tx, ref)) {
      if (going.has(`${child.table} ${child.key}`)) continue;
      const done = this.prng.chance(0.5)
        ? await this.deleteWith(tx, child, going)
        : await tx.update(child, (row) => ({ ...row, [column]: null }));
      if (done !== 'done' && done !== 'no row') return done;
    }
    return tx.delete(ref);
  }

  private childrenOf(tx: LocalTransaction, parent: RowRef): [RowRef, string][] {
    return [USERS, TEAMS].flatMap((table) =>
      this.db.spec(table).foreignKeys.flatMap((key) =>
        tx
          .visibleRows(table)
          .filter(({ row }) => key.parent === parent.table && parentOf(this.db, key, row.values)?.key === parent.key)
          .map(({ ref }): [RowRef, string] => [ref, key.columns[0]!]),
      ),
    );
  }
}
