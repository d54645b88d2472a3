import { clip, splitOutsideQuotes, unquoted } from './name-parser.js';
import type { Comparison, Condition, Truth } from './query.js';
import { Refused } from './refusal.js';

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>([
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'like',
  'ilike',
  'cs',
  'cd',
  'ov',
]);
const TRUTHS: ReadonlySet<string> = new Set<Truth>(['null', 'true', 'false', 'unknown']);
/** Deeper logic than this is nobody's wish; the parser recurses. */
const MAX_DEPTH = 16;

const refuse = (text: string, because: string): never => {
  throw new Refused(
    'bad_filter',
    `the filter "${clip(text)}" cannot be read: ${because}. Examples: qty=gte.5, name=ilike.*pen*, id=in.(1,2), or=(a.is.null,b.not.eq.3)`,
  );
};

/** `qty=gte.5`, `qty=not.in.(1,2)`: the parameter's name is the column, its value is taken to the end, quotes and all. */
export function parseFilter(column: string, text: string): Condition {
  const { negated, op, rest } = operator(text, text);
  const name = unquoted(column);
  if (op === 'in') return { kind: 'in', column: name, values: parseList(rest), negated };
  return comparison(name, op, rest, negated, text);
}

/** `or=(a.eq.1,and(b.gt.2,c.is.null))`: the parameter's name is the group, `not.` before it negates it. */
export function parseLogic(group: string, text: string): Condition {
  const negated = group.startsWith('not.');
  const parser = new LogicParser(text);
  const of = parser.group(1);
  parser.end();
  return { kind: group.endsWith('or') ? 'or' : 'and', of, negated };
}

function operator(text: string, whole: string): { negated: boolean; op: string; rest: string } {
  const negated = text.startsWith('not.');
  const from = negated ? 4 : 0;
  const dot = text.indexOf('.', from);
  if (dot < 0) return refuse(whole, 'an operator and a dot come before the value');
  return { negated, op: text.slice(from, dot), rest: text.slice(dot + 1) };
}

function comparison(column: string, op: string, value: string, negated: boolean, whole: string): Condition {
  if (op === 'is') {
    const truth = value.toLowerCase();
    if (!TRUTHS.has(truth)) return refuse(whole, '"is" takes null, true, false or unknown');
    return { kind: 'is', column, value: truth as Truth, negated };
  }
  if (!COMPARISONS.has(op))
    return refuse(whole, `"${clip(op)}" is no operator; there are ${[...COMPARISONS, 'in', 'is'].join(', ')}`);
  return { kind: 'compare', column, op: op as Comparison, value, negated };
}

function parseList(text: string): readonly string[] {
  if (!text.startsWith('(') || !text.endsWith(')')) return refuse(text, '"in" takes a list in parentheses');
  const inside = text.slice(1, -1);
  return inside === '' ? [] : splitOutsideQuotes(inside, ',').map(unquoted);
}

/** Reads a logic tree from left to right. */
class LogicParser {
  #at = 0;
  constructor(private readonly text: string) {}

  group(depth: number): Condition[] {
    if (depth > MAX_DEPTH) return refuse(this.text, `it is nested deeper than ${MAX_DEPTH}`);
    this.#expect('(');
    const of = [this.#condition(depth)];
    while (this.#peek() === ',') {
      this.#at++;
      of.push(this.#condition(depth));
    }
    this.#expect(')');
    return of;
  }

  end(): void {
    if (this.#at !== this.text.length)
      refuse(this.text, `nothing may follow the last parenthesis (position ${this.#at + 1})`);
  }

  #condition(depth: number): Condition {
    const nested = /^(not\.)?(and|or)(?=\()/.exec(this.text.slice(this.#at, this.#at + 8));
    if (nested === null) return this.#leaf();
    this.#at += nested[0].length;
    return { kind: nested[2] as 'and' | 'or', of: this.group(depth + 1), negated: nested[1] !== undefined };
  }

  #leaf(): Condition {
    const column = unquoted(this.#token('.'));
    this.#expect('.');
    let op = this.#token('.');
    const negated = op === 'not';
    if (negated) {
      this.#expect('.');
      op = this.#token('.');
    }
    this.#expect('.');
    if (column === '') return refuse(this.text, `a column's name is missing (position ${this.#at + 1})`);
    if (op === 'in') return { kind: 'in', column, values: parseList(this.#enclosed('(', ')')), negated };
    if (this.#peek() === '{') return comparison(column, op, this.#enclosed('{', '}'), negated, this.text);
    return comparison(column, op, unquoted(this.#token(',')), negated, this.text);
  }

  /** Up to a separator or the group's end, quoted parts as one. */
  #token(separator: string): string {
    const start = this.#at;
    let quoted = false;
    for (; this.#at < this.text.length; this.#at++) {
      const c = this.text[this.#at]!;
      if (quoted && c === '\\') this.#at++;
      else if (c === '"') quoted = !quoted;
      else if (!quoted && (c === separator || c === ',' || c === ')' || (c === '(' && separator === '.'))) break;
    }
    return this.text.slice(start, this.#at);
  }

  #enclosed(open: string, close: string): string {
    const start = this.#at;
    if (this.#peek() !== open) return refuse(this.text, `"${open}" is missing (position ${this.#at + 1})`);
    let depth = 0;
    let quoted = false;
    for (; this.#at < this.text.length; this.#at++) {
      const c = this.text[this.#at]!;
      if (quoted && c === '\\') this.#at++;
      else if (c === '"') quoted = !quoted;
      else if (!quoted && c === open) depth++;
      else if (!quoted && c === close && --depth === 0) return this.text.slice(start, ++this.#at);
    }
    return refuse(this.text, `"${close}" is missing`);
  }

  #peek(): string | undefined {
    return this.text[this.#at];
  }

  #expect(c: string): void {
    if (this.text[this.#at] !== c) refuse(this.text, `"${c}" is missing (position ${this.#at + 1})`);
    this.#at++;
  }
}
