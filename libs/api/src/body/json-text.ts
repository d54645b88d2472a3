import { ApiProblem } from '../http/api-problem.js';

/**
 * JSON taken apart without being turned into values: each node knows the text it stands for, so that PostgreSQL gets
 * every digit as it was sent (JSON.parse would round 9007199254740993, and fold duplicate keys).
 */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'scalar' }
);

interface JsonLimits {
  readonly depth: number;
  readonly nodes: number;
}
/** 64 deep is more than jsonb documents use, and far from PostgreSQL's and our own stack limits. */
const JSON_LIMITS: JsonLimits = { depth: 64, nodes: 200_000 };

export function parseJsonText(text: string, limits: JsonLimits = JSON_LIMITS): JsonNode {
  return new Reader(text, limits).document();
}

export const textOf = (text: string, node: JsonNode): string => text.slice(node.start, node.end);

/** The last of a name, as JSON.parse takes it, so that what was checked is what is written. */
export const member = (node: JsonNode, name: string): JsonNode | undefined =>
  node.kind === 'object' ? node.entries.findLast(([key]) => key === name)?.[1] : undefined;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** JSON forbids control characters inside strings. */
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

class Reader {
  #at = 0;
  #nodes = 0;

  constructor(
    private readonly text: string,
    private readonly limits: JsonLimits,
  ) {}

  document(): JsonNode {
    const node = this.#value(1);
    this.#space();
    if (this.#at !== this.text.length) this.#refuse('nothing may follow the value');
    return node;
  }

  #value(depth: number): JsonNode {
    if (depth > this.limits.depth)
      throw new ApiProblem('bad_json', `the body is nested deeper than ${this.limits.depth} levels: flatten it`);
    if (++this.#nodes > this.limits.nodes)
      throw new ApiProblem('bad_json', `the body holds more than ${this.limits.nodes} values: send it in parts`);
    this.#space();
    const start = this.#at;
    switch (this.text[start]) {
      case '{':
        return this.#object(start, depth);
      case '[':
        return this.#array(start, depth);
      case '"':
        this.#token(STRING, 'a string is not closed, or holds a control character');
        break;
      case 't':
      case 'f':
      case 'n':
        this.#token(LITERAL, 'true, false or null expected');
        break;
      default:
        this.#token(NUMBER, 'a value expected');
    }
    return { kind: 'scalar', start, end: this.#at };
  }

  #object(start: number, depth: number): JsonNode {
    const entries: [string, JsonNode][] = [];
    this.#at++;
    if (!this.#eat('}')) {
      do {
        this.#space();
        const from = this.#at;
        this.#token(STRING, 'a key in double quotes expected');
        const key = JSON.parse(this.text.slice(from, this.#at)) as string;
        if (!this.#eat(':')) this.#refuse('":" expected');
        entries.push([key, this.#value(depth + 1)]);
      } while (this.#eat(','));
      if (!this.#eat('}')) this.#refuse('"," or "}" expected');
    }
    return { kind: 'object', entries, start, end: this.#at };
  }

  #array(start: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#at++;
    if (!this.#eat(']')) {
      do items.push(this.#value(depth + 1));
      while (this.#eat(','));
      if (!this.#eat(']')) this.#refuse('"," or "]" expected');
    }
    return { kind: 'array', items, start, end: this.#at };
  }

  #eat(c: string): boolean {
    this.#space();
    if (this.text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    this.#at = SPACE.lastIndex;
  }

  #token(pattern: RegExp, expectation: string): void {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.text)) this.#refuse(expectation);
    this.#at = pattern.lastIndex;
  }

  #refuse(because: string): never {
    throw new ApiProblem('bad_json', `the body is no JSON: ${because} (position ${this.#at + 1})`);
  }
}
