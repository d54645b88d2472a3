import { type BoundedCounter, givings, type RowRef, rowId, type Values } from '@meridian/core';
import type { Agent, Micros } from '../scheduler.js';
import { Capture, parentOf, patchBetween } from './capture.js';
import { fullValues, isInRange, NO_EXCESS } from './counter-range.js';
import { keyOf, type MemoryDatabase } from './database.js';
import { holdTable } from './enrolment.js';
import type { LogRow } from './log.js';
import { type OwnShare, ownShareOf, rebornLock, shareRef, sharesOf, shareValues, sumOf } from './shares.js';
import { Transaction } from './transaction.js';

/** PostgreSQL's deadlock_timeout: who waits as long is taken for deadlocked, and apply's lock_timeout is below it. */
const DEADLOCK_TIMEOUT: Micros = 1_000_000;

/** What a statement came to. All but the first two abort the transaction, up to the last savepoint. */
export type Statement =
  'done' | 'no row' | 'out of range' | 'share exhausted' | 'unique violation' | 'foreign key violation' | 'deadlock';

/** A user's transaction, read committed, with the capture triggers on its tables. Every statement is at least one step. */
export class LocalTransaction extends Transaction {
  constructor(
    db: MemoryDatabase,
    agent: Agent,
    private readonly actor: string,
  ) {
    super(db, agent, DEADLOCK_TIMEOUT);
  }

  async select(ref: RowRef): Promise<Values | null> {
    await this.agent.step('select');
    return this.row(ref)?.values ?? null;
  }

  async insert(table: RowRef['table'], values: Values): Promise<Statement> {
    await this.agent.step('insert');
    const spec = this.db.spec(table);
    const ref = { table, key: keyOf(spec, values) };
    if (!isInRange(this.db.rangesOf(table), values)) return 'out of range';
    this.writing();
    if ((await holdTable(this.db, this, table)) === 'timeout') return 'deadlock';
    for (const key of ['primary', ...spec.uniqueKeys] as const) {
      const taken = await this.claim(key, ref, values);
      if (!taken.taken) return taken.because === 'timeout' ? 'deadlock' : 'unique violation';
    }
    this.putRow(ref, { values, excess: NO_EXCESS, incarnation: this.db.nextIncarnation() });
    const parents = await this.referTo(ref, null, values);
    if (typeof parents === 'string') return parents;
    this.capture(ref, (c) => [c.insert(ref, values), ...parents.map((parent) => c.touch(parent))]);
    return this.eachBounded(ref, (bounded) =>
      this.beginShares(ref, Number(values[bounded.column]) - Number(bounded.min)),
    );
  }

  /** `change` is computed on the newest version of the row, once it is locked, as SET n = n + 1 is. */
  async update(ref: RowRef, change: (values: Values) => Values): Promise<Statement> {
    await this.agent.step('update');
    const spec = this.db.spec(ref.table);
    if ((await holdTable(this.db, this, ref.table)) === 'timeout') return 'deadlock';
    const seen = this.row(ref);
    if (seen === null) return 'no row';
    this.writing();
    const movesKey = spec.uniqueKeys.some((key) => key.columns.some((c) => change(seen.values)[c] !== seen.values[c]));
    if ((await this.lockRow(ref, movesKey ? 'update' : 'no key update')) === 'timeout') return 'deadlock';
    const now = this.row(ref);
    if (now === null || now.incarnation !== seen.incarnation) return 'no row';
    const after = { ...now.values, ...change(now.values) };
    const patch = patchBetween(spec, now.values, after);
    if (patch === null) return 'done';
    if (!isInRange(this.db.rangesOf(ref.table), after)) return 'out of range';
    for (const key of spec.uniqueKeys) {
      if (key.columns.every((column) => after[column] === now.values[column])) continue;
      if ((await this.vacate(key, ref, now.values)) === 'timeout') return 'deadlock';
      const taken = await this.claim(key, ref, after);
      if (!taken.taken) return taken.because === 'timeout' ? 'deadlock' : 'unique violation';
    }
    this.putRow(ref, { ...now, values: after });
    const parents = await this.referTo(ref, now.values, after);
    if (typeof parents === 'string') return parents;
    this.capture(ref, (c) => [c.update(ref, patch), ...parents.map((parent) => c.touch(parent))]);
    return this.eachBounded(ref, ({ column }) => this.spendShare(ref, Number(patch.patch[column] ?? 0)));
  }

  async delete(ref: RowRef): Promise<Statement> {
    await this.agent.step('delete');
    if ((await holdTable(this.db, this, ref.table)) === 'timeout') return 'deadlock';
    const seen = this.row(ref);
    if (seen === null) return 'no row';
    this.writing();
    if ((await this.lockRow(ref, 'update')) === 'timeout') return 'deadlock';
    const now = this.row(ref);
    if (now === null || now.incarnation !== seen.incarnation) return 'no row';
    for (const key of ['primary', ...this.db.spec(ref.table).uniqueKeys] as const)
      if ((await this.vacate(key, ref, now.values)) === 'timeout') return 'deadlock';
    if (this.children(ref).length > 0) return 'foreign key violation';
    this.putRow(ref, null);
    // With the excess, for a later winner restores the full sum.
    this.capture(ref, (c) => [c.delete(ref, fullValues(now))]);
    return 'done';
  }

  /** What the region's leader gives of its share of this row to others; true: something. */
  async give(ref: RowRef): Promise<boolean> {
    await this.agent.step('give');
    const own = shareRef(ref, this.db.region);
    if (!this.db.locks.tryAcquire(this, `row ${rowId(own)}`, 'no key update')) return false;
    const gifts = givings(this.db.region, this.sharesOf(ref));
    if (gifts.length === 0) return false;
    this.putShare(ref, ({ own: sum, given }) => ({
      own: sum,
      given: gifts.reduce((all, { to, amount }) => ({ ...all, [to]: (all[to] ?? 0) + Number(amount) }), given),
    }));
    return true;
  }

  /** Resolves to what brings the transaction back to here. */
  async savepoint(): Promise<() => void> {
    await this.agent.step('savepoint');
    return this.save();
  }

  /** True: acknowledged. The acknowledgement may be lost with the client; the commit is not. */
  async commit(): Promise<true> {
    await this.agent.step('commit');
    this.makeVisible('local', []);
    await this.agent.step('committed');
    return true;
  }

  async rollback(): Promise<void> {
    await this.agent.step('rollback');
    this.end();
  }

  /** Foreign keys: KEY SHARE on every parent newly referred to, which must exist then. Resolves to the parents to touch. */
  private async referTo(ref: RowRef, before: Values | null, after: Values): Promise<RowRef[] | Statement> {
    const touched: RowRef[] = [];
    for (const key of this.db.spec(ref.table).foreignKeys) {
      if (before !== null && key.columns.every((column) => before[column] === after[column])) continue;
      const parent = parentOf(this.db, key, after);
      if (parent === null) continue;
      const seen = this.row(parent);
      if (seen === null) return 'foreign key violation';
      if ((await this.lockRow(parent, 'key share')) === 'timeout') return 'deadlock';
      if (this.row(parent)?.incarnation !== seen.incarnation) return 'foreign key violation';
      touched.push(parent);
    }
    return touched;
  }

  private async eachBounded(ref: RowRef, work: (bounded: BoundedCounter) => Promise<Statement>): Promise<Statement> {
    for (const bounded of this.db.spec(ref.table).bounded ?? []) {
      const outcome = await work(bounded);
      if (outcome !== 'done') return outcome;
    }
    return 'done';
  }

  /** meridian.spend_shares */
  private async spendShare(ref: RowRef, difference: number): Promise<Statement> {
    if (difference === 0) return 'done';
    if ((await this.lockRow(shareRef(ref, this.db.region), 'no key update')) === 'timeout') return 'deadlock';
    this.putShare(ref, ({ own, given }) => ({ own: own + difference, given }));
    return difference < 0 && this.ownShare(ref) < 0 ? 'share exhausted' : 'done';
  }

  /** meridian.begin_shares: what is above the bound and no other region's is this one's. */
  private async beginShares(ref: RowRef, above: number): Promise<Statement> {
    const regions = [...this.db.applied.keys()];
    const isReborn =
      regions.some((region) => this.row(shareRef(ref, region)) !== null) || sumOf(this.sharesOf(ref)) !== 0;
    if (isReborn && (await this.db.locks.acquire(this, rebornLock(ref))) === 'timeout') return 'deadlock';
    for (const region of isReborn ? regions : [])
      if ((await this.lockRow(shareRef(ref, region), 'no key update')) === 'timeout') return 'deadlock';
    const others = sumOf(this.sharesOf(ref));
    this.putShare(ref, ({ own, given }) => ({ own: own + above - others, given }));
    return this.ownShare(ref) < 0 ? 'share exhausted' : 'done';
  }

  private sharesOf(ref: RowRef): ReturnType<typeof sharesOf> {
    return sharesOf(this.db, ref, (share) => this.row(share));
  }

  private ownShare(ref: RowRef): number {
    return Number(this.sharesOf(ref).find(({ region }) => region === this.db.region)!.amount);
  }

  private putShare(of: RowRef, change: (share: OwnShare) => OwnShare): void {
    const { region } = this.db;
    const ref = shareRef(of, region);
    const before = this.row(ref);
    const values = shareValues(of, region, change(ownShareOf(before)));
    this.putRow(ref, { values, excess: NO_EXCESS, incarnation: before?.incarnation ?? this.db.nextIncarnation() });
    const patch = before === null ? null : patchBetween(this.db.spec(ref.table), before.values, values);
    if (before === null) this.capture(ref, (c) => [c.insert(ref, values)]);
    else if (patch !== null) this.capture(ref, (c) => [c.update(ref, patch)]);
  }

  private children(parent: RowRef): RowRef[] {
    const referring: RowRef[] = [];
    for (const spec of this.db.specs.values())
      for (const key of spec.foreignKeys.filter((k) => k.parent === parent.table))
        for (const { ref, row } of this.visibleRows(spec.name))
          if (parentOf(this.db, key, row.values)?.key === parent.key) referring.push(ref);
    return referring;
  }

  private capture({ table }: RowRef, entries: (capture: Capture) => LogRow[]): void {
    if (this.db.epochsOf(table).present === null) return;
    this.writes.log.push(...entries(new Capture(this.db, this.writing(), this.actor)));
  }
}
