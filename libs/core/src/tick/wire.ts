import type { Change, ChangeOp, Rank, Ranks } from '../change/change.js';
import type { Digest } from '../digest.js';
import type { JsonText } from '../ids.js';
import type { Vector } from '../vector.js';
import type { Tick, TickHeader } from './tick.js';

/**
 * A tick as text, version 1. First line: the header as JSON. Each following line is one change, its fields separated by
 * tabs; an empty field is null. No field can hold a raw tab or line break: they are escaped in JSON strings.
 *
 *     {"v":1,"origin":"us","seq":7,"deps":{"eu":4,"us":6},"stamp":"..","wall":"..","previous":"..","changes":1,"digest":".."}
 *     "public.items"⇥u⇥["1"]⇥91⇥115…⇥1763…⇥1⇥"app"⇥{"qty": "5"}⇥{"qty": "4"}⇥⇥
 *
 * There is one text for one tick (vectors and ranks sorted by name), so it is what digests are made of.
 */
export const WIRE_VERSION = 1;

/**
 * A block of the digest has at most so many changes, and so many characters unless it is one change: neither a tick of a million
 * changes nor one of few large ones ever has to be one string (V8 ends at 512 MB).
 */
export const DIGEST_BLOCK = { changes: 1_000, chars: 8_000_000 } as const;

export type TickContent = TickHeader & { readonly changes: readonly Change[] };

/** Digest of the header and of the digests of the changes' blocks. What the tick's changes say of origin and seq counts not. */
export function tickDigest(content: TickContent, digest: Digest): string {
  const blocks = new BlockDigests(digest);
  for (const change of content.changes) blocks.add(changeLine(change));
  return digestOf(content, blocks.all(), digest);
}

/** The changes' lines as they come; kept of them is the block that is not full yet. */
export class BlockDigests {
  private readonly done: string[] = [];
  private lines: string[] = [];
  private chars = 0;

  constructor(private readonly digest: Digest) {}

  add(line: string): void {
    const full = this.lines.length >= DIGEST_BLOCK.changes || this.chars + line.length > DIGEST_BLOCK.chars;
    if (full && this.lines.length > 0) this.close();
    this.lines.push(line);
    this.chars += line.length;
  }

  all(): readonly string[] {
    if (this.lines.length > 0) this.close();
    return this.done;
  }

  private close(): void {
    this.done.push(this.digest(this.lines.join('\n')));
    this.lines = [];
    this.chars = 0;
  }
}

export const digestOf = (content: TickContent, blocks: readonly string[], digest: Digest): string =>
  digest([headerLine(content, null), ...blocks].join('\n'));

export const encodeTickText = (tick: Tick): string => [...tickLines(tick)].join('\n');

/**
 * The text in pieces of at most `maxChars` characters, cut anywhere but inside a character: a large tick, or a large value,
 * travels in several messages.
 */
export function* encodeTickParts(tick: Tick, maxChars: number): Generator<string> {
  let pending = '';
  for (const line of tickLines(tick)) {
    pending = pending === '' ? line : `${pending}\n${line}`;
    while (pending.length > maxChars) {
      const end = cutPosition(pending, maxChars);
      yield pending.slice(0, end);
      pending = pending.slice(end);
    }
  }
  yield pending;
}

function* tickLines(tick: Tick): Generator<string> {
  yield headerLine(tick, tick.digest);
  for (const change of tick.changes) yield changeLine(change);
}

/** Not between the two halves of a surrogate pair: each would become U+FFFD in UTF-8. */
function cutPosition(text: string, at: number): number {
  const last = text.charCodeAt(at - 1);
  return at > 1 && last >= 0xd800 && last <= 0xdbff ? at - 1 : at;
}

const OP_LETTER: Readonly<Record<ChangeOp, string>> = { insert: 'i', update: 'u', delete: 'd' };

function headerLine(t: TickContent, digest: string | null): string {
  const end = digest === null ? '}' : `,"digest":${JSON.stringify(digest)}}`;
  return (
    `{"v":${WIRE_VERSION},"origin":${JSON.stringify(t.origin)},"seq":${t.seq},"deps":${vectorText(t.deps)},` +
    `"stamp":"${t.stamp}","wall":"${t.wall}","previous":${JSON.stringify(t.previous)},"changes":${t.changes.length}${end}`
  );
}

/** By concatenation, not by join: measured twice as fast, and this is the fast path. */
function changeLine(c: Change): string {
  return (
    `${JSON.stringify(c.table)}\t${OP_LETTER[c.op]}\t${oneLine(c.key)}\t${c.id}\t${c.stamp}\t${c.wall}\t${c.epoch}\t` +
    `${JSON.stringify(c.actor)}\t${oneLine(c.patch)}\t${oneLine(c.before)}\t` +
    `${c.ranks === null ? '' : ranksText(c.ranks)}\t${c.unseen === null ? '' : vectorText(c.unseen)}`
  );
}

const BREAK = /[\t\n\r]/;

/** Raw breaks in JSON can only be white space between its tokens (json_agg writes some). */
function oneLine(json: JsonText | string | null): string {
  if (json === null) return '';
  return BREAK.test(json) ? json.replace(/[\t\n\r]/g, ' ') : json;
}

const sortedKeys = (of: object): string[] => Object.keys(of).sort();

const vectorText = (v: Vector): string =>
  `{${sortedKeys(v)
    .map((origin) => `${JSON.stringify(origin)}:${v[origin]!}`)
    .join(',')}}`;

const ranksText = (ranks: Ranks): string =>
  `{${sortedKeys(ranks)
    .map((column) => `${JSON.stringify(column)}:${rankText(ranks[column]!)}`)
    .join(',')}}`;

const rankText = (r: Rank): string => `["${r.stamp}","${r.wall}","${r.id}"]`;
