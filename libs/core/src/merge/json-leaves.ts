/** A JSON value whose numbers keep their digits: a jsonb number has up to 131,072 of them. */
type Json = null | boolean | string | number | RawNumber | readonly Json[] | { readonly [key: string]: Json };

interface RawNumber {
  readonly rawJSON: string;
}

/** ECMAScript's JSON.parse source text access, which TypeScript's library does not know yet. */
interface SourceJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source: string }) => unknown): Json;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}
const source = JSON as unknown as SourceJson;

const parseJson = (text: string): Json =>
  MAY_LOSE_DIGITS.test(text)
    ? source.parse(text, (_key, value, { source: digits }) =>
        typeof value === 'number' ? source.rawJSON(digits) : value,
      )
    : (JSON.parse(text) as Json);

/** Any other number is a JavaScript number's own text, and a reviver makes parsing four times as slow (measured). */
const MAY_LOSE_DIGITS = /\d[.eE]|\d{16}|-0(?!\d)/;

/** The keys from the document down to a leaf. */
export type Path = readonly string[];

/** One text for one path. */
export const pathId = (path: Path): string => JSON.stringify(path);
export const pathOf = (id: string): Path => JSON.parse(id) as Path;

/** A document that is deeper, or has more leaves, is one leaf: what it takes to merge and to record it is bounded. */
const DEEPEST = 100;
const MOST_LEAVES = 2_000;

/** By path: every value that is no object, or at a path that is a leaf as a whole. An object without members has none. */
export function leavesOf(text: string | null, whole: ReadonlySet<string> = new Set()): ReadonlyMap<string, string> {
  const asOne = (): ReadonlyMap<string, string> => new Map([[pathId([]), text!]]);
  if (text !== null && isDeep(text)) return asOne();
  const leaves = partsOf(text, whole);
  return leaves.size > MOST_LEAVES ? asOne() : leaves;
}

/** Told before it is parsed, for that recurses. */
function isDeep(text: string): boolean {
  let [depth, quoted] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === '{' || c === '[') && ++depth > DEEPEST) return true;
    else if (!quoted && (c === '}' || c === ']')) depth--;
  }
  return false;
}

function partsOf(text: string | null, whole: ReadonlySet<string>): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: Json, path: Path): void => {
    if (!isObject(value) || whole.has(pathId(path))) leaves.set(pathId(path), jsonbText(value));
    else for (const [key, member] of Object.entries(value)) walk(member, [...path, key]);
  };
  if (text !== null) walk(parseJson(text), []);
  return leaves;
}

/** Those of an array, each as PostgreSQL writes it; null: it is none. */
export function jsonElements(text: string | null): readonly string[] | null {
  const value = text === null ? null : parseJson(text);
  return Array.isArray(value) ? (value as readonly Json[]).map(jsonbText) : null;
}

/** The document with another text at this leaf, or without it. */
export function documentWith(text: string | null, path: Path, leaf: string | null): string {
  const others = [...leavesOf(text)].filter(([id]) => pathId(path) !== id && !isInTheWay(pathId(path), id));
  return documentOf(new Map(leaf === null ? others : [...others, [pathId(path), leaf]]));
}

/** One of two paths goes on where the other one ends. */
function isInTheWay(a: string, b: string): boolean {
  const [x, y] = [pathOf(a), pathOf(b)];
  const [shorter, longer] = x.length < y.length ? [x, y] : [y, x];
  return shorter.length < longer.length && shorter.every((key, i) => key === longer[i]);
}

/** The document with these leaves, as PostgreSQL writes a jsonb. */
export function documentOf(leaves: ReadonlyMap<string, string>): string {
  const root = leaves.get(pathId([]));
  if (root !== undefined) return root;
  const document = new Branch();
  for (const [id, leaf] of [...leaves].sort(([a], [b]) => (a < b ? -1 : 1))) document.put(pathOf(id), leaf);
  return document.text();
}

/** Members in jsonb's order, which is theirs in every region. */
class Branch {
  private readonly members = new Map<string, Branch | string>();

  put([key, ...rest]: Path, leaf: string): void {
    if (rest.length === 0) return void this.members.set(key!, leaf);
    let below = this.members.get(key!);
    if (!(below instanceof Branch)) this.members.set(key!, (below = new Branch()));
    below.put(rest, leaf);
  }

  text(): string {
    const members = [...this.members].sort(([a], [b]) => compareKeys(a, b));
    return `{${members.map(([key, value]) => `${JSON.stringify(key)}: ${value instanceof Branch ? value.text() : value}`).join(', ')}}`;
  }
}

/** PostgreSQL's order of a jsonb's keys: by their length in UTF-8, then by their bytes, whose order is that of the code points. */
function compareKeys(a: string, b: string): number {
  const [x, y] = [codePoints(a), codePoints(b)];
  const differing = x.findIndex((point, i) => point !== y[i]);
  return bytesOf(x) - bytesOf(y) || (differing < 0 ? 0 : x[differing]! - (y[differing] ?? -1));
}

const codePoints = (text: string): number[] => [...text].map((c) => c.codePointAt(0)!);

const bytesOf = (points: readonly number[]): number =>
  points.reduce((sum, p) => sum + (p < 0x80 ? 1 : p < 0x800 ? 2 : p < 0x10000 ? 3 : 4), 0);

function jsonbText(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(jsonbText).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => compareKeys(a, b));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${jsonbText(member)}`).join(', ')}}`;
}

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !source.isRawJSON(value);
