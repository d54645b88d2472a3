import type { ApplyStore, ApplyTransaction } from '@meridian/core';

/** Where apply stands still before a step, with its transaction open, until it is let go. */
export interface Stop {
  /** Fails when the work that was to come here ends without. */
  reachedBy(work: Promise<unknown>): Promise<void>;
  go(): void;
}

export interface Stoppable {
  readonly store: ApplyStore;
  /** The next time apply is about to take this step. */
  stopBefore(step: keyof ApplyTransaction): Stop;
  /** Whoever stands still goes on: after a test that failed before it said so. */
  letGo(): void;
}

/** For what happens between two of apply's steps and waits for no lock by itself: the store's own steps, with a gate before each. */
export function stoppable(inner: ApplyStore): Stoppable {
  const gates = new Map<PropertyKey, { readonly arrive: () => void; readonly opened: Promise<void> }>();
  const held = new Set<() => void>();
  const pass: Pass = async (step, asked) => {
    const gate = gates.get(step);
    if (gate === undefined) return;
    gates.delete(step);
    await Promise.allSettled(asked);
    gate.arrive();
    await gate.opened;
  };
  return {
    store: {
      region: inner.region,
      heads: () => inner.heads(),
      enrolments: () => inner.enrolments(),
      waitingTables: () => inner.waitingTables(),
      begin: async () => gated(await inner.begin(), pass),
    },
    stopBefore: (step) => {
      let go!: () => void;
      const opened = new Promise<void>((resolve) => (go = resolve));
      const reached = new Promise<void>((arrive) => gates.set(step, { arrive, opened }));
      held.add(go);
      const past = (): never => {
        throw new Error(`apply ended, and never came to ${step}`);
      };
      return { reachedBy: (work) => Promise.race([reached, work.then(past)]), go };
    },
    letGo: () => {
      gates.clear();
      for (const go of held) go();
      held.clear();
    },
  };
}

/** Resolves when apply may take the step. `asked`: what it has asked for before, and has an answer to when it stands still. */
type Pass = (step: PropertyKey, asked: readonly Promise<unknown>[]) => Promise<void>;

/** Steps that are asked for side by side pass in the order of asking: those behind one that stands still wait, too. */
function gated(inner: ApplyTransaction, pass: Pass): ApplyTransaction {
  let passed: Promise<void> = Promise.resolve();
  const asked: Promise<unknown>[] = [];
  return new Proxy(inner, {
    get: (target, step) => {
      const member: unknown = Reflect.get(target, step);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): Promise<unknown> => {
        const before = [...asked];
        passed = passed.then(() => pass(step, before));
        const answer = passed.then(() => Reflect.apply(member, target, args) as unknown);
        asked.push(answer);
        return answer;
      };
    },
  });
}
