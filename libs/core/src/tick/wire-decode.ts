import type { Change, ChangeOp, Rank, Ranks } from '../change/change.js';
import {
  REGION_NAME,
  type ChangeId,
  type JsonText,
  type RegionId,
  type RowKey,
  type Seq,
  type TableName,
} from '../ids.js';
import type { Stamp } from '../stamp.js';
import type { Vector } from '../vector.js';
import type { Tick } from './tick.js';
import { WIRE_VERSION } from './wire.js';

/** The text is no tick. Peers and brokers are untrusted input: every malformed byte ends here, as a value of this class. */
export class MalformedTickError extends Error {
  readonly code = 'malformed_tick';
  constructor(what: string) {
    super(`malformed tick: ${what}`);
    this.name = 'MalformedTickError';
  }
}

/** A peer runs a newer Meridian. Nothing is lost: the tick is asked for again once this region is upgraded. */
export class UnknownWireVersionError extends Error {
  readonly code = 'unknown_wire_version';
  constructor(readonly version: string) {
    super(
      `this region reads ticks of wire version ${WIRE_VERSION}, the peer sent version ${version}: upgrade this region`,
    );
    this.name = 'UnknownWireVersionError';
  }
}

/** The content does not fit the digest that the tick names: a seq would stand for two contents (I5). */
export class AlteredTickError extends Error {
  readonly code = 'altered_tick';
  constructor(origin: RegionId, seq: Seq) {
    super(`the content of tick ${seq} of ${origin} does not fit its digest`);
    this.name = 'AlteredTickError';
  }
}

/** A tick names few tables and few actors, again and again. */
export class StringCache {
  private readonly known = new Map<string, string>();

  read(text: string, what: string): string {
    const seen = this.known.get(text);
    if (seen !== undefined) return seen;
    const value = storable(parseJson(text, what), text, what);
    this.known.set(text, value);
    return value;
  }
}

export type DecodedHeader = Omit<Tick, 'changes'> & { readonly count: number };

export function decodeHeader(line: string): DecodedHeader {
  const h = object(parseJson(line, 'header'), 'header');
  const version = own(h, 'v');
  if (version !== WIRE_VERSION) throw new UnknownWireVersionError(String(version).slice(0, 20));
  const origin = own(h, 'origin');
  if (typeof origin !== 'string' || !REGION_NAME.test(origin)) throw new MalformedTickError('origin');
  return {
    origin: origin as RegionId,
    seq: wholeNumber(own(h, 'seq'), 1, 'seq') as Seq,
    deps: vector(own(h, 'deps'), 'deps'),
    stamp: int64(own(h, 'stamp'), 'stamp') as Stamp,
    wall: int64(own(h, 'wall'), 'wall'),
    previous: digestText(own(h, 'previous'), 'previous'),
    digest: digestText(own(h, 'digest'), 'digest'),
    count: wholeNumber(own(h, 'changes'), 0, 'changes'),
  };
}

const FIELDS = 12;
const OPS: ReadonlyMap<string, ChangeOp> = new Map([
  ['i', 'insert'],
  ['u', 'update'],
  ['d', 'delete'],
]);

export function decodeChange(line: string, origin: RegionId, seq: Seq, strings: StringCache): Change {
  const f = line.split('\t', FIELDS + 1);
  if (f.length !== FIELDS) throw new MalformedTickError(`a change of ${f.length} fields`);
  const [table, letter, key, id, stamp, wall, epoch, actor, patch, before, ranks, unseen] = f as FieldTexts;
  const op = OPS.get(letter);
  if (op === undefined) throw new MalformedTickError('operation');
  if ((op === 'delete' ? patch !== '' && patch !== '{}' : patch === '') || (before === '') !== (op === 'insert'))
    throw new MalformedTickError(`${op} with the wrong images`);
  return {
    origin,
    seq,
    id: wholeNumber(decimal(id, 'id'), 0, 'id') as ChangeId,
    table: strings.read(table, 'table') as TableName,
    key: rowKey(key),
    op,
    stamp: int64(stamp, 'stamp') as Stamp,
    wall: int64(wall, 'wall'),
    epoch: wholeNumber(decimal(epoch, 'epoch'), 0, 'epoch'),
    actor: strings.read(actor, 'actor'),
    patch: values(patch, 'patch'),
    before: values(before, 'before'),
    ranks: ranks === '' ? null : decodeRanks(ranks),
    unseen: unseen === '' ? null : vector(parseJson(unseen, 'unseen'), 'unseen'),
  };
}

type Texts<N extends number, T extends string[] = []> = T['length'] extends N ? T : Texts<N, [...T, string]>;
type FieldTexts = Texts<typeof FIELDS>;

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedTickError(`${what} is no JSON`);
  }
}

function object(value: unknown, what: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedTickError(what);
  return value;
}

/** Never an inherited property: a header without `v` has none, whatever Object.prototype holds. */
const own = (of: object, name: string): unknown =>
  Object.hasOwn(of, name) ? (of as Readonly<Record<string, unknown>>)[name] : undefined;

function wholeNumber(value: unknown, least: number, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw new MalformedTickError(what);
  return value;
}

const DECIMAL = /^-?(?:0|[1-9][0-9]{0,18})$/;

function decimal(text: string, what: string): number {
  if (!DECIMAL.test(text)) throw new MalformedTickError(what);
  return Number(text);
}

const INT64_MAX = 2n ** 63n - 1n;

function int64(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !DECIMAL.test(value)) throw new MalformedTickError(what);
  const n = BigInt(value);
  if (n > INT64_MAX || n < -INT64_MAX - 1n) throw new MalformedTickError(what);
  return n;
}

const DIGEST_TEXT = /^[A-Za-z0-9:_+/=-]{0,128}$/;

function digestText(value: unknown, what: string): string {
  if (typeof value !== 'string' || !DIGEST_TEXT.test(value)) throw new MalformedTickError(what);
  return value;
}

/**
 * PostgreSQL's text holds neither NUL nor half a surrogate pair; its JSON functions fail on them, so a tick that brings
 * them could never be applied. Both can only come as escapes, so nearly all texts are cleared by a search for those.
 */
function storable(value: unknown, source: string, what: string): string {
  if (typeof value !== 'string') throw new MalformedTickError(what);
  const suspicious = source.includes('\\u') || source.includes('\0');
  if (suspicious && /\0|[\ud800-\udfff]/u.test(value))
    throw new MalformedTickError(`${what} holds NUL or half a character`);
  return value;
}

function rowKey(text: string): RowKey {
  const parts = parseJson(text, 'key');
  if (!Array.isArray(parts) || parts.length === 0) throw new MalformedTickError('key');
  for (const part of parts) storable(part, text, 'key');
  return text as RowKey;
}

/** Checked here, passed on as text: a value that is not text or null would otherwise fail in the middle of apply. */
function values(text: string, what: string): JsonText | null {
  if (text === '') return null;
  const parsed = object(parseJson(text, what), what) as Readonly<Record<string, unknown>>;
  for (const column of Object.keys(parsed)) {
    if (parsed[column] !== null) storable(parsed[column], text, what);
    storable(column, text, what);
  }
  return text as JsonText;
}

function vector(value: unknown, what: string): Vector {
  const entries = Object.entries(object(value, what));
  for (const [origin, seq] of entries) {
    if (!REGION_NAME.test(origin)) throw new MalformedTickError(what);
    wholeNumber(seq, 0, what);
  }
  return value as Vector;
}

/** fromEntries defines properties rather than setting them: a column `__proto__` stays data. */
const decodeRanks = (text: string): Ranks =>
  Object.fromEntries(
    Object.entries(object(parseJson(text, 'ranks'), 'ranks')).map(([column, rank]) => [column, decodeRank(rank)]),
  );

function decodeRank(value: unknown): Rank {
  if (!Array.isArray(value) || value.length !== 3) throw new MalformedTickError('ranks');
  const [stamp, wall, id] = value as unknown[];
  return {
    stamp: int64(stamp, 'ranks') as Stamp,
    wall: int64(wall, 'ranks'),
    id: wholeNumber(Number(int64(id, 'ranks')), 0, 'ranks') as ChangeId,
  };
}
