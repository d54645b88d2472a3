import type { MergeCall, MergeFunctionRef, MergeFunctions, MergeOutcome } from '@meridian/core';
import { callText, MAX_INPUT, outcomeOf } from './call-text.js';
import { type Compiled, compiledBy } from './compiled.js';
import { Suspensions } from './suspensions.js';
import type { Answer } from './thread/messages.js';
import { Threads } from './threads.js';
import { type Definition, failed, type Job, work } from './work.js';

/** `micros`: what the call took inside the sandbox. */
export type TimedOutcome = MergeOutcome & { readonly micros: number };

export interface SuspendedFunction extends MergeFunctionRef {
  /** ISO 8601: when one call is tried again. */
  readonly until: string;
}

/**
 * Users' JavaScript, which reaches nothing: no host, no network, no clock, no other call. Threads are started by the first
 * function that is compiled, so a region without any pays nothing.
 */
export class MergeSandbox implements MergeFunctions {
  private readonly functions = new Map<string, Definition & { readonly ref: MergeFunctionRef }>();
  private readonly suspensions: Suspensions;
  private readonly threads = new Threads();
  private lastId = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** `now`: milliseconds since 1970, for how long a function stays suspended. */
  constructor(now: () => number = Date.now) {
    this.suspensions = new Suspensions(now);
  }

  /** From here on calls may name it. The same again is nothing new; another text under the same version is refused. */
  compile(name: string, version: number, source: string): Promise<Compiled> {
    return this.inTurn(async () => {
      const ref = { name, version };
      const known = this.functions.get(keyOf(ref));
      if (known !== undefined) return known.source === source ? { kind: 'compiled' } : ANOTHER_TEXT;
      const definition = { id: ++this.lastId, source };
      const compiled = await compiledBy(await this.threads.current(), definition);
      if (compiled.kind === 'compiled') this.functions.set(keyOf(ref), { ...definition, ref });
      return compiled;
    });
  }

  /** Calls may not name it any more. */
  forget(ref: MergeFunctionRef): Promise<void> {
    return this.inTurn(async () => {
      const known = this.functions.get(keyOf(ref));
      if (known === undefined) return;
      this.functions.delete(keyOf(ref));
      this.suspensions.lift(known.id);
      await this.threads.forget(known.id);
    });
  }

  run(calls: readonly MergeCall[]): Promise<readonly TimedOutcome[]> {
    return this.inTurn(async () => {
      const answers = new Array<Answer>(calls.length);
      const jobs = calls.flatMap((call, i) => this.jobOf(call, (answer) => (answers[i] = answer)));
      await work(jobs, this.threads, this.suspensions);
      return calls.map((call, i) => ({ ...outcomeOf(call, answers[i]!), micros: answers[i]!.micros }));
    });
  }

  /** All threads have started: whoever waits for this does not wait at the first conflict. */
  ready(): Promise<void> {
    return this.threads.ready();
  }

  suspended(): SuspendedFunction[] {
    const byId = new Map([...this.functions.values()].map(({ id, ref }) => [id, ref]));
    return this.suspensions.all().flatMap(({ id, untilMillis }) => {
      const ref = byId.get(id);
      return ref === undefined ? [] : [{ ...ref, until: new Date(untilMillis).toISOString() }];
    });
  }

  /** Does not wait for the end of its suspension. */
  resume(ref: MergeFunctionRef): void {
    const known = this.functions.get(keyOf(ref));
    if (known !== undefined) this.suspensions.lift(known.id);
  }

  /** What is still running, or asked for later, is rejected. */
  close(): Promise<void> {
    return this.threads.close();
  }

  private jobOf(call: MergeCall, answer: (answer: Answer) => void): Job[] {
    const definition = this.functions.get(keyOf(call.function));
    const text = callText(call);
    if (definition === undefined) answer(failed('unknown function', `this region has no ${named(call.function)}`));
    else if (text.input.length > MAX_INPUT)
      answer(failed('too large', `the versions have more than ${MAX_INPUT} characters`));
    else return [{ definition, text, answer }];
    return [];
  }

  /** One message is on its way at a time: a thread that has to be ended takes nobody else's with it. */
  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.last.then(task);
    this.last = mine.catch(() => undefined);
    return mine;
  }
}

const keyOf = ({ name, version }: MergeFunctionRef): string => `${version}\n${name}`;
const named = ({ name, version }: MergeFunctionRef): string => `${name}, version ${version}`;

const ANOTHER_TEXT: Compiled = {
  kind: 'refused',
  because: 'another text',
  detail: 'this version has another text already: give it a new version',
};
