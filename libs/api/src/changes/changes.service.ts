import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type Followed, parseTableName, Refused, type TableName } from '@meridian/core';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { FeedWaker } from './feed-waker.js';

/** Rows of one read: large enough for throughput, small enough that a slow reader holds little. */
const PAGE = 200;
/** Proxies cut idle connections after some 30 to 60 s. */
const HEARTBEAT_MS = 10_000;

/** Where the events go; `false` from `write` means that its buffer is full. */
export interface EventSink {
  write(text: string): boolean;
  drained(signal: AbortSignal): Promise<void>;
}

@Injectable()
export class ChangesService implements OnModuleDestroy {
  readonly #waker: FeedWaker;

  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {
    this.#waker = new FeedWaker(ports.changes, ports.relaying);
  }

  onModuleDestroy(): void {
    this.#waker.stop();
  }

  async rows(tableName: string | undefined): Promise<Followed> {
    return { kind: 'rows', table: tableName === undefined ? null : await this.#table(tableName) };
  }

  /** The cursor to begin with, checked, so that a bad one is an answer and not a broken stream. */
  async open(since: string | undefined, of: Followed): Promise<string> {
    const { changes } = this.ports;
    const cursor = since === 'beginning' || since === '0' ? changes.beginning : (since ?? (await changes.now()));
    await changes.after(cursor, of, 1);
    return cursor;
  }

  /** Sends until the signal aborts. One page is held at a time: the sink's buffer bounds what a slow reader costs. */
  async stream(start: string, of: Followed, sink: EventSink, signal: AbortSignal): Promise<void> {
    let cursor = start;
    while (!signal.aborted) {
      const wakes = this.#waker.wakes;
      const page = await this.ports.changes.after(cursor, of, PAGE);
      for (const item of page.items) {
        if (!sink.write(`id: ${item.cursor}\nevent: ${item.event}\ndata: ${item.data}\n\n`)) await sink.drained(signal);
        if (signal.aborted) return;
      }
      cursor = page.cursor;
      if (page.items.length > 0) continue;
      const notice = await this.#waker.since(wakes, HEARTBEAT_MS, signal);
      if (notice === 'quiet' && !sink.write(': heartbeat\n\n')) await sink.drained(signal);
    }
  }

  async #table(name: string): Promise<TableName> {
    const ref = parseTableName(name);
    // Meridian's own replicated tables may be followed by name; REST offers no rows of them.
    if (ref.schema === 'meridian') return `meridian.${ref.name}` as TableName;
    const table = await this.ports.rows.table(ref);
    if (table === null)
      throw new Refused('table_not_enrolled', `${name} is not enrolled: GET /v1/tables lists those that are`, {
        table: name,
      });
    return table.name;
  }
}
