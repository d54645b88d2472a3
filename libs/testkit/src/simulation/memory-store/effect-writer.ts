import {
  addDecimals,
  parseValues,
  type Retry,
  type RowEffect,
  type RowRef,
  rowId,
  type RowState,
  type Values,
  type WriteOutcome,
} from '@meridian/core';
import { parseClaims } from './claims.js';
import { type Counted, counted, fullValues } from './counter-range.js';
import { holdTable } from './enrolment.js';
import { rebornLock, SHARE_TABLE } from './shares.js';
import { Transaction } from './transaction.js';

type Of<K extends RowEffect['kind']> = Extract<RowEffect, { readonly kind: K }>;

/** Apply's writes: set-based in three statements (frees, updates, inserts), as the replica role (no triggers, no foreign keys). */
export class EffectWriter extends Transaction {
  /** Rows locked for good, by the incarnation that was there. */
  private readonly held = new Map<string, number>();

  async write(effects: readonly RowEffect[]): Promise<WriteOutcome> {
    for (const effect of effects)
      if ((await holdTable(this.db, this, effect.table)) === 'timeout') return timedOut(effect);
    await this.agent.step('write: free');
    for (const effect of effects) if ((await this.free(effect)) === 'timeout') return timedOut(effect);
    await this.agent.step('write: update');
    for (const effect of effects)
      if (effect.kind === 'update') {
        const retry = await this.update(effect);
        if (retry !== null) return retry;
      }
    await this.agent.step('write: insert');
    for (const effect of effects)
      if (effect.kind === 'insert' || effect.kind === 'replace') {
        const retry = await this.insert(effect);
        if (retry !== null) return retry;
      }
    await this.agent.step('write: settle');
    for (const effect of effects) if (effect.kind === 'settle') this.settle(effect);
    return { retry: null };
  }

  protected heldRow(ref: RowRef, incarnation: number): boolean {
    return this.held.get(rowId(ref)) === incarnation;
  }

  protected nowHolds(ref: RowRef, incarnation: number): void {
    this.held.set(rowId(ref), incarnation);
  }

  protected lockParked(ref: RowRef): Promise<'held' | 'timeout'> {
    return this.db.locks.acquire(this, `parked ${rowId(ref)}`);
  }

  /** Whatever exists of this row is held. */
  protected securely(ref: RowRef): boolean {
    const row = this.row(ref);
    if (row !== null && !this.heldRow(ref, row.incarnation)) return false;
    return this.parkedRow(ref) === null || this.db.locks.holds(this, `parked ${rowId(ref)}`);
  }

  protected places(rows: readonly RowRef[]): ReadonlyMap<string, RowState['place']> {
    const places = new Map<string, RowState['place']>();
    for (const ref of rows) {
      if (this.row(ref) !== null) places.set(rowId(ref), 'table');
      else if (this.parkedRow(ref) !== null) places.set(rowId(ref), 'parked');
    }
    return places;
  }

  private async free(effect: RowEffect): Promise<'held' | 'timeout'> {
    switch (effect.kind) {
      case 'delete':
      case 'replace':
        return this.remove(effect);
      case 'park':
        return this.park(effect);
      case 'unpark':
        return this.unpark(effect);
      case 'insert':
      case 'update':
      case 'settle':
        return 'held';
    }
  }

  private async remove(ref: RowRef): Promise<'held' | 'timeout'> {
    const seen = this.row(ref);
    if (seen === null) return 'held';
    if ((await this.lockRow(ref, 'update')) === 'timeout') return 'timeout';
    const now = this.row(ref);
    if (now === null || now.incarnation !== seen.incarnation) return 'held';
    for (const key of ['primary', ...this.db.spec(ref.table).uniqueKeys] as const)
      if ((await this.vacate(key, ref, now.values)) === 'timeout') return 'timeout';
    this.putRow(plain(ref), null);
    return 'held';
  }

  private async park(effect: Of<'park'>): Promise<'held' | 'timeout'> {
    if ((await this.remove(effect)) === 'timeout' || (await this.lockParked(effect)) === 'timeout') return 'timeout';
    const values = parseValues(effect.values);
    const { because } = effect;
    const since = this.db.snapshot();
    this.putParked(plain(effect), { ref: plain(effect), values, claims: parseClaims(effect.claims), because, since });
    return 'held';
  }

  private async unpark(effect: Of<'unpark'>): Promise<'held' | 'timeout'> {
    if (this.parkedRow(effect) === null) return 'held';
    if ((await this.lockParked(effect)) === 'timeout') return 'timeout';
    this.putParked(plain(effect), null);
    return 'held';
  }

  private async update(effect: Of<'update'>): Promise<Retry | null> {
    const seen = this.row(effect);
    if (seen === null) return null;
    if ((await this.lockRow(effect, 'update')) === 'timeout') return timedOut(effect);
    const now = this.row(effect);
    if (now === null || now.incarnation !== seen.incarnation) return null;
    const after = this.merged(effect, fullValues(now), parseValues(effect.values));
    for (const key of this.db.spec(effect.table).uniqueKeys) {
      if (key.columns.every((column) => after[column] === now.values[column])) continue;
      if ((await this.vacate(key, effect, now.values)) === 'timeout') return timedOut(effect);
      const taken = await this.claim(key, effect, after);
      if (!taken.taken) return taken.because === 'timeout' ? timedOut(effect) : violation(taken.detail);
    }
    this.putRow(plain(effect), { ...now, ...this.counted(effect, after) });
    return null;
  }

  private settle(effect: Of<'settle'>): void {
    const now = this.row(effect);
    if (now !== null) this.putRow(plain(effect), { ...now, ...this.counted(effect, fullValues(now)) });
  }

  protected counted({ table }: RowRef, full: Values): Counted {
    return counted(this.db.rangesOf(table), full);
  }

  private merged(effect: Of<'update'>, now: Values, values: Values): Values {
    const counters = effect.counters === 'add' ? this.db.spec(effect.table).counters : [];
    const after: Record<string, string | null> = { ...now, ...values };
    for (const column of counters)
      if (Object.hasOwn(values, column)) after[column] = addDecimals(now[column] ?? '0', values[column] ?? '0');
    return after;
  }

  /** ON CONFLICT on the primary key does nothing; another unique key's conflict is an error. */
  private async insert(effect: Of<'insert'> | Of<'replace'>): Promise<Retry | null> {
    const values = parseValues(effect.values);
    for (const key of ['primary', ...this.db.spec(effect.table).uniqueKeys] as const) {
      const taken = await this.claim(key, effect, values);
      if (taken.taken) continue;
      if (taken.because === 'timeout') return timedOut(effect);
      return key === 'primary' ? { retry: 'row appeared', detail: rowId(effect) } : violation(taken.detail);
    }
    this.putRow(plain(effect), { ...this.counted(effect, values), incarnation: this.db.nextIncarnation() });
    return (await this.holdReborn(effect, values)) === 'timeout' ? timedOut(effect) : null;
  }

  /** What the trigger of meridian.share does where apply makes a region's first row. */
  private async holdReborn({ table }: RowRef, values: Values): Promise<'held' | 'timeout'> {
    if (table !== SHARE_TABLE) return 'held';
    return this.db.locks.acquire(this, rebornLock({ table: values['rel'], key: values['pk'] } as RowRef));
  }
}

const plain = ({ table, key }: RowRef): RowRef => ({ table, key });
const timedOut = (ref: RowRef): Retry => ({ retry: 'lock timeout', detail: rowId(ref) });
const violation = (detail: string): Retry => ({ retry: 'unique violation', detail });
