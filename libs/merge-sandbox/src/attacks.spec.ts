import { callOf } from './call.builder.js';
import { MergeSandbox } from './merge-sandbox.js';

/** What the issue promises; the bodies of functions. How long others wait for them is measured: `run.mjs bench-merge`. */
const ATTACKS: readonly (readonly [name: string, body: string])[] = [
  ['endless loop', 'for (;;);'],
  ['endless loop in finally', 'try { for (;;); } finally { for (;;); }'],
  ['endless loop in an async function', 'const f = async () => { try { for (;;); } finally { for (;;); } }; f(); f()'],
  ['endless generator', 'function* g() { try { for (;;) yield 1 } finally { for (;;); } } for (const x of g());'],
  ['endless loop in a comparator', '[3, 1, 2].sort(() => { for (;;); })'],
  ['endless regex', '/(a+)+b/.test("a".repeat(60))'],
  ['endless regex with alternatives', '/(?:a|a|aa)+$/.test("a".repeat(1000) + "b")'],
  ['BigInt squaring', 'let x = 3n; for (;;) x *= x'],
  ['BigInt to text', '((1n << 900000n) - 1n).toString()'],
  ['BigInt from text', 'BigInt("9".repeat(200_000))'],
  ['memory by strings', 'const k = []; for (;;) k.push("x".repeat(1e6) + k.length)'],
  ['memory by doubling a string', 'let s = "xy"; for (;;) s = s + s'],
  ['memory by replacing', '"x".repeat(1e5).replace(/x/g, () => "y".repeat(1000))'],
  ['memory by arrays', 'const k = []; for (;;) k.push([1, 2, 3])'],
  ['memory by one array', 'new Array(1e9).fill(0)'],
  ['memory by a long array', 'const k = []; k.length = 4294967295; k.fill(1)'],
  ['memory by spreading', '[].concat(...Array(1e5).fill(Array(100).fill(1)))'],
  ['memory by a map', 'const k = new Map(); for (let i = 0; ; i++) k.set(i, "x" + i)'],
  ['memory by buffers', 'const k = []; for (;;) k.push(new ArrayBuffer(1e6))'],
  ['memory caught and kept', 'for (;;) try { for (;;) (globalThis.k ??= []).push("x".repeat(1e5)) } catch {}'],
  ['deep recursion', 'const f = () => f() + 1; f()'],
  ['deep recursion, caught', 'const f = () => { try { f() } catch { f() } }; f()'],
  ['deep recursion by JSON', 'JSON.parse("[".repeat(1e5))'],
  ['deep recursion by the parser', 'eval("(".repeat(1e5))'],
  ['deep recursion by a regex', 'new RegExp("(?:".repeat(1e5))'],
  ['deep recursion by a getter', 'const o = { get x() { return this.x } }; o.x'],
  ['deep recursion by a proxy', 'new Proxy({}, { get: (t, k, r) => r[k] }).x'],
  ['deep recursion by toString', 'const o = { toString() { return "" + o } }; "" + o'],
  ['deep nesting', 'let a = []; for (let i = 0; i < 4e4; i++) a = [a]; String(a)'],
  ['endless builtin', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)'],
  ['endless builtin on nothing', 'String.raw({ raw: { length: 2 ** 53 - 1 } })'],
  ['prototype games', 'Object.prototype.then = Array.prototype.toJSON = () => { for (;;); }; throw { message: "x" }'],
  ['prototype of results', 'Object.prototype.v = "1"; return {}'],
  ['builtins replaced', 'JSON.stringify = Object.keys = Object.hasOwn = String = () => { for (;;); }; return { v: 1 }'],
  ['setters on Array.prototype', 'Object.defineProperty(Array.prototype, "0", { set() { for (;;); } }); return []'],
  ['constructor escape', 'return { v: this.constructor.constructor("return process")().env.PATH }'],
  ['constructor escape by an argument', 'return { v: [].constructor.constructor("return process")().env.PATH }'],
  [
    'constructor escape by an error',
    'try { null.x } catch (e) { return e.constructor.constructor("return process")() }',
  ],
  ['import', 'return import("node:fs")'],
  ['endless promise chain', 'const p = () => Promise.resolve().then(p); p(); for (;;) p()'],
  ['promise as a result', 'return Promise.resolve({ v: "1" })'],
  ['thenable as a result', 'return { then(resolve) { for (;;) resolve() } }'],
  ['huge result', 'return { v: "x".repeat(5e6) }'],
  ['huge result in many columns', 'return Object.fromEntries(Array.from({ length: 2e4 }, (_, i) => ["c" + i, "x"]))'],
  ['huge error', 'throw new Error("x".repeat(5e6))'],
  ['toString trap', 'return { v: { toString() { for (;;); } } }'],
  ['toString trap in an error', 'throw { toString() { for (;;); } }'],
  ['message trap in an error', 'throw Object.defineProperty(new Error(), "message", { get() { for (;;); } })'],
  ['Symbol.toPrimitive', 'return { v: { [Symbol.toPrimitive]() { for (;;); } } }'],
  ['toJSON', 'return { v: { toJSON() { for (;;); } } }'],
  ['getter as a value', 'return { get v() { for (;;); } }'],
  ['proxy as a result', 'return new Proxy({}, { getOwnPropertyDescriptor() { for (;;); }, ownKeys() { for (;;); } })'],
  [
    'proxy that lies',
    'let n = 0; return new Proxy({ v: "1" }, { get: () => (n++ ? {} : 7), ownKeys: () => ["v", "w"] })',
  ],
];

const GROWTH_BYTES = 100e6;

const residentBytes = (): number => process.memoryUsage.rss();

const HONEST = 'export default (base, versions) => ({ v: versions.map((x) => x.values.v).sort().join() })';

describe('attacks from inside a merge function', () => {
  let sandbox: MergeSandbox;
  let before: number;
  let peak: number;
  let looking: NodeJS.Timeout;
  const honestCalls = Array.from({ length: 40 }, (_, i) => callOf('honest', null, { v: `${i}b` }, { v: `${i}a` }));

  beforeAll(async () => {
    sandbox = new MergeSandbox();
    await sandbox.compile('honest', 1, HONEST);
    await sandbox.run(honestCalls);
    await sandbox.ready();
    peak = before = residentBytes();
    looking = setInterval(() => (peak = Math.max(peak, residentBytes())), 1);
  });
  afterAll(async () => {
    clearInterval(looking);
    await sandbox.close();
  });

  it.each(ATTACKS)('%s: fails alone', async (name, body) => {
    await sandbox.compile(name, 1, `export default function merge(base, versions) { ${body}; return null }`);
    await sandbox.ready();
    const attack = callOf(name, null, { v: '1' }, { v: '2' });
    const outcomes = await sandbox.run([...honestCalls.slice(0, 20), attack, ...honestCalls.slice(20)]);
    expect(outcomes[20]!.kind).toBe('failed');
    expect(outcomes.toSpliced(20, 1).map((o) => o.kind === 'merged' && o.values['v'])).toEqual(
      honestCalls.map((_, i) => `${i}a,${i}b`),
    );
  });

  it('all of them together have not grown the process by more than is promised', () => {
    expect(peak - before).toBeLessThan(GROWTH_BYTES);
  });

  it('nothing has got out of the sandbox', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { v?: unknown }).v).toBeUndefined();
  });
});
