import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  type QuickJSContext,
  type QuickJSHandle,
  newQuickJSWASMModuleFromVariant,
  newVariant,
} from 'quickjs-emscripten-core';
import type { MergeFailure } from '@meridian/core';
import { type Image, LinearMemory } from './linear-memory.js';
import type { ThreadSetup } from './messages.js';
import { Steps } from './steps.js';

/** What it cannot grow beyond: 5 MB of C stack, and 10 MB of heap. The module asks for no less. */
const MEMORY_PAGES = 256;
/**
 * Of the 5 MB; the thread's own stack, which recursion fills at the same time and about ten times as fast, has 16 MB: were it
 * full first, where a call fails would depend on how V8 compiled the interpreter.
 */
const STACK_BYTES = 128 * 1024;
/** Costly ones, which allocate, take 15 ms: less than the watchdog's patience, so that it is the count that decides. */
const STEPS_OF_A_CALL = 50_000;
const STEPS_OF_A_DEFINITION = 1_000_000;
/** Is copied for every call. */
const MAX_KEPT_BYTES = 1_000_000;

/**
 * No Date, so no clock; no typed arrays, which every break-out of an interpreter starts with; no WeakRef, whose answer depends on
 * the garbage collector. The prelude takes Math.random away.
 */
const LANGUAGE = {
  BaseObjects: true,
  Eval: true,
  StringNormalize: true,
  RegExp: true,
  RegExpCompiler: true,
  JSON: true,
  Proxy: true,
  MapSet: true,
  Promise: true,
  BigInt: true,
} as const;

interface Defined {
  readonly image: Image;
  readonly entry: QuickJSHandle;
}

export interface RealmAnswer {
  readonly failure: MergeFailure | null;
  readonly text: string;
}

/**
 * One QuickJS. Every call begins in the very bytes that the function's definition left: so that no call can see another one, and
 * that one which runs out of memory does so at the same point everywhere.
 */
export class Realm {
  private readonly functions = new Map<number, Defined>();
  private readonly context: QuickJSContext;
  private readonly memory: LinearMemory;
  private readonly steps: Steps;
  private readonly bind: QuickJSHandle;
  private readonly describe: QuickJSHandle;
  private readonly empty: Image;

  // Without parameter properties: Node strips types, and translates nothing (see entry.cjs).
  private constructor(context: QuickJSContext, memory: LinearMemory, steps: Steps, prelude: QuickJSHandle) {
    this.context = context;
    this.memory = memory;
    this.steps = steps;
    this.bind = context.getProp(prelude, 'bind');
    this.describe = context.getProp(prelude, 'describe');
    this.empty = memory.take();
  }

  static async open({ wasm, prelude }: Pick<ThreadSetup, 'wasm' | 'prelude'>): Promise<Realm> {
    const wasmMemory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: wasm, wasmMemory }));
    const steps = new Steps();
    const runtime = quickjs.newRuntime();
    runtime.setMaxStackSize(STACK_BYTES);
    runtime.setInterruptHandler(steps.isToEnd);
    const context = runtime.newContext({ intrinsics: LANGUAGE });
    steps.allow(STEPS_OF_A_DEFINITION);
    const made = context.unwrapResult(context.evalCode(prelude, 'prelude.js', { type: 'global' }));
    return new Realm(context, new LinearMemory(wasmMemory), steps, made);
  }

  define(id: number, source: string): RealmAnswer {
    this.memory.restore(this.empty);
    this.memory.clearAbove(this.empty);
    this.steps.allow(STEPS_OF_A_DEFINITION);
    const exported = this.context.evalCode(source, 'merge.js', { type: 'module' });
    if (exported.error) return this.failureOf(exported.error);
    const entry = this.context.callFunction(this.bind, this.context.undefined, exported.value);
    if (entry.error) return this.failureOf(entry.error);
    const image = this.memory.take();
    const kept = image.high.length - this.empty.high.length;
    if (kept > MAX_KEPT_BYTES) return { failure: 'too large', text: `the module keeps ${kept} bytes` };
    this.functions.set(id, { image, entry: entry.value });
    return { failure: null, text: '' };
  }

  call(id: number, input: string, columns: string): RealmAnswer {
    const defined = this.functions.get(id);
    if (defined === undefined) return UNDEFINED;
    const { image, entry } = defined;
    this.memory.restore(image);
    this.steps.allow(STEPS_OF_A_CALL);
    const given = [this.context.newString(input), this.context.newString(columns)];
    const result = this.context.callFunction(entry, this.context.undefined, given);
    if (this.steps.exceeded) return outOfSteps(STEPS_OF_A_CALL);
    // The prelude catches what a function throws: what gets past it had no memory left even for that.
    if (result.error) return NO_MEMORY;
    const text = this.context.getString(result.value);
    const line = text.indexOf('\n');
    if (line === -1) return NO_MEMORY;
    return { failure: line === 0 ? null : (text.slice(0, line) as MergeFailure), text: text.slice(line + 1) };
  }

  forget(id: number): RealmAnswer {
    this.functions.delete(id);
    return { failure: null, text: '' };
  }

  private failureOf(error: QuickJSHandle): RealmAnswer {
    if (this.steps.exceeded) return outOfSteps(STEPS_OF_A_DEFINITION);
    const told = this.context.callFunction(this.describe, this.context.undefined, error);
    return told.error ? NO_MEMORY : { failure: 'threw', text: this.context.getString(told.value) };
  }
}

const outOfSteps = (steps: number): RealmAnswer => ({
  failure: 'out of steps',
  text: `it takes more than ${steps} steps`,
});

const UNDEFINED: RealmAnswer = { failure: 'unknown function', text: 'its definition failed in this thread' };
const NO_MEMORY: RealmAnswer = { failure: 'out of memory', text: 'it needs more memory than a call may have' };
