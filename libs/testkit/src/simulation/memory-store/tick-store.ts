import {
  type ApplyStore,
  type ApplyTransaction,
  type Change,
  type Cut,
  type Enrolments,
  type FoldingOf,
  foldingOf,
  policyAt,
  type Head,
  type RegionId,
  type Seq,
  seq,
  type TableName,
  type Tick,
  type TickHeader,
  type TickStore,
  type Vector,
} from '@meridian/core';
import type { Agent } from '../scheduler.js';
import { MemoryApplyTransaction } from './apply-transaction.js';
import type { MemoryDatabase } from './database.js';
import { shippedUnseen } from './entries.js';
import { dropPartitions } from './gc.js';
import type { LockOwner } from './locks.js';
import type { LogRow } from './log.js';
import { isSame, type Snapshot, visibleIn } from './snapshot.js';

/** One service's connection to its region's database. When the agent dies, its transactions are rolled back. */
export class MemoryApplyStore implements ApplyStore {
  readonly region: RegionId;
  private read: Enrolments;
  constructor(
    private readonly db: MemoryDatabase,
    private readonly agent: Agent,
  ) {
    this.region = db.region;
    this.read = db.enrolments;
  }

  async heads(): Promise<ReadonlyMap<RegionId, Head>> {
    await this.agent.step('heads');
    return new Map([...this.db.applied].map(([origin, { seq, digest }]) => [origin, { seq, digest, position: null }]));
  }

  async enrolments(): Promise<Enrolments> {
    await this.agent.step('enrolments');
    return (this.read = this.db.enrolments);
  }

  async waitingTables(): Promise<ReadonlySet<TableName>> {
    await this.agent.step('waiting tables');
    return new Set([...this.db.waiting].map((row) => row.change.table));
  }

  async begin(): Promise<ApplyTransaction> {
    await this.agent.step('begin');
    return inOrder(new MemoryApplyTransaction(this.db, this.agent, this.read));
  }
}

/** Steps asked for side by side are taken in the order of asking, as by one session. */
function inOrder(transaction: ApplyTransaction): ApplyTransaction {
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(transaction, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const mine = last.then(() => Reflect.apply(member, target, args) as unknown);
        last = mine.catch(() => undefined);
        return mine;
      };
    },
  });
}

export class MemoryTickStore implements TickStore {
  readonly region: RegionId;
  private seen: Snapshot | null = null;
  constructor(
    private readonly db: MemoryDatabase,
    private readonly agent: Agent,
  ) {
    this.region = db.region;
  }

  async hasMoved(): Promise<boolean> {
    await this.agent.step('has moved');
    return this.seen === null || !isSame(this.seen, this.db.snapshot());
  }

  async openCut(): Promise<Cut> {
    await this.agent.step('open cut');
    const owner: LockOwner = { agent: this.agent, lockTimeout: Infinity };
    this.agent.whenKilled(() => this.db.locks.releaseAll(owner));
    await this.db.locks.acquire(owner, 'cut');
    await this.agent.step('snapshot');
    this.seen = this.db.snapshot();
    return new MemoryCut(this.db, this.agent, owner);
  }

  async readTicks(
    origin: RegionId,
    from: Seq,
    limit: { readonly ticks: number; readonly changes: number },
  ): Promise<readonly Tick[]> {
    await this.agent.step('read ticks');
    const out: Tick[] = [];
    let changes = 0;
    for (let n = from as number; out.length < limit.ticks && changes < limit.changes; n++) {
      const tick = this.db.tick(origin, seq(n));
      if (tick === undefined) break;
      changes += tick.changes.length;
      out.push(tick);
    }
    return out;
  }

  async lastDeps(): Promise<ReadonlyMap<RegionId, Vector>> {
    await this.agent.step('last deps');
    const deps = new Map<RegionId, Vector>();
    for (const [origin, last] of this.db.applied) deps.set(origin, { ...last.deps, [origin]: last.seq });
    deps.set(this.db.region, this.db.vector());
    return deps;
  }

  async dropBelow(stableCut: Vector): Promise<number> {
    await this.agent.step('drop partitions');
    return dropPartitions(this.db, stableCut);
  }
}

/** A REPEATABLE READ transaction: all of it reads what had committed when it was opened. */
class MemoryCut implements Cut {
  readonly header: TickHeader;
  readonly folding: FoldingOf;
  private readonly taken: readonly LogRow[];
  private readonly races: Map<Change['id'], ReadonlyMap<RegionId, Seq>>;
  private readonly snapshot: Snapshot;

  constructor(
    private readonly db: MemoryDatabase,
    private readonly agent: Agent,
    private readonly owner: LockOwner,
  ) {
    const own = db.applied.get(db.region)!;
    this.snapshot = db.snapshot();
    this.folding = ({ table, epoch }) => {
      const spec = db.specs.get(table);
      return foldingOf(spec && { ...spec, registers: policyAt(spec, epoch).registers });
    };
    this.header = {
      origin: db.region,
      seq: seq(own.seq + 1),
      deps: db.vector(),
      stamp: db.lastStamp,
      wall: BigInt(Math.round(db.wall())),
      previous: own.digest,
    };
    this.taken = db.log.uncut.filter(
      (row) => visibleIn(this.snapshot, row.xid) && !visibleIn(db.lastSnapshot, row.xid),
    );
    this.races = new Map([...db.races].map(([change, races]) => [change, new Map(races)]));
    this.markUnseen();
  }

  /** A local change of a table with waiting changes has not seen them, nor what followed (design 5, as a race). */
  private markUnseen(): void {
    for (const { change: waiting, seq } of this.db.waiting)
      for (const row of this.taken.filter((r) => r.change.table === waiting.table)) {
        const races = new Map(this.races.get(row.change.id));
        races.set(waiting.origin, Math.min(races.get(waiting.origin) ?? Infinity, seq!) as Seq);
        this.races.set(row.change.id, races);
      }
  }

  async changes(): Promise<readonly Change[]> {
    await this.agent.step('changes of the cut');
    return this.taken.map((row) => ({ ...row.change, seq: this.header.seq, unseen: this.unseen(row) }));
  }

  async commit(tick: Tick): Promise<void> {
    await this.agent.step('commit the cut');
    const { db, header } = this;
    if (db.tick(db.region, header.seq) !== undefined)
      throw new Error(`tick ${db.region}/${header.seq} is there already: two relays cannot both write one seq`);
    for (const row of this.taken) {
      db.log.ship(row, header.seq, this.unseen(row));
      db.races.delete(row.change.id);
    }
    db.lastSnapshot = this.snapshot;
    db.applied.set(db.region, { seq: header.seq, digest: tick.digest, deps: tick.deps });
    db.keepTick(tick);
    db.locks.releaseAll(this.owner);
    db.announce({
      kind: 'cut',
      rows: [],
      changes: this.taken.map((row) => ({ ...row.change, seq: row.seq, unseen: row.unseen })),
      ticks: [tick],
    });
    await this.agent.step('committed');
  }

  async abandon(): Promise<void> {
    await this.agent.step('abandon the cut');
    this.db.locks.releaseAll(this.owner);
  }

  private unseen(row: LogRow): Vector | null {
    return shippedUnseen(this.races.get(row.change.id), this.header.deps);
  }
}
