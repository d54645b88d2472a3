import { type Agent, type Micros, WaitQueue } from '../scheduler.js';

/**
 * PostgreSQL's row lock modes as far as they differ here: FOR KEY SHARE (foreign keys), FOR NO KEY UPDATE (an UPDATE that
 * leaves unique keys alone) and FOR UPDATE (DELETE, an UPDATE of a unique key, apply's locks). Everything else that is
 * locked (unique values, the cut lock, a row of the vector) is held exclusively.
 */
export type LockMode = 'key share' | 'no key update' | 'update';

const STRENGTH: Record<LockMode, number> = { 'key share': 0, 'no key update': 1, update: 2 };

/** Only key share goes with no key update, and with itself. */
const conflicting = (a: LockMode, b: LockMode): boolean => STRENGTH[a] + STRENGTH[b] >= 2;

export interface LockOwner {
  readonly agent: Agent;
  readonly lockTimeout: Micros;
}

interface Lock {
  readonly holders: Map<LockOwner, LockMode>;
  readonly released: WaitQueue;
}

/** Locks by name, held until the owner's transaction ends. */
export class Locks {
  private readonly locks = new Map<string, Lock>();
  private readonly held = new Map<LockOwner, Set<string>>();

  /** Takes at once what is free; otherwise waits, as long as the owner's lock_timeout lets it. */
  async acquire(owner: LockOwner, name: string, mode: LockMode = 'update'): Promise<'held' | 'timeout'> {
    const scheduler = owner.agent.scheduler;
    const deadline = scheduler.now + owner.lockTimeout;
    while (!this.tryAcquire(owner, name, mode)) {
      if (scheduler.now >= deadline) return 'timeout';
      await owner.agent.wait(this.of(name).released, deadline - scheduler.now);
    }
    return 'held';
  }

  tryAcquire(owner: LockOwner, name: string, mode: LockMode = 'update'): boolean {
    const lock = this.of(name);
    for (const [other, theirs] of lock.holders) if (other !== owner && conflicting(theirs, mode)) return false;
    const mine = lock.holders.get(owner);
    if (mine === undefined || STRENGTH[mine] < STRENGTH[mode]) lock.holders.set(owner, mode);
    this.heldBy(owner).add(name);
    return true;
  }

  holds(owner: LockOwner, name: string): boolean {
    return this.locks.get(name)?.holders.has(owner) ?? false;
  }

  /** Gives one lock back early: a unique value that turned out to be taken is not held by who failed to get it. */
  release(owner: LockOwner, name: string): void {
    const lock = this.locks.get(name);
    if (lock === undefined || !lock.holders.delete(owner)) return;
    this.held.get(owner)?.delete(name);
    lock.released.wakeAll();
  }

  releaseAll(owner: LockOwner): void {
    for (const name of this.held.get(owner) ?? []) {
      const lock = this.of(name);
      lock.holders.delete(owner);
      lock.released.wakeAll();
    }
    this.held.delete(owner);
  }

  private of(name: string): Lock {
    let lock = this.locks.get(name);
    if (lock === undefined) this.locks.set(name, (lock = { holders: new Map(), released: new WaitQueue() }));
    return lock;
  }

  private heldBy(owner: LockOwner): Set<string> {
    let names = this.held.get(owner);
    if (names === undefined) this.held.set(owner, (names = new Set()));
    return names;
  }
}
