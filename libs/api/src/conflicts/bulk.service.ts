import { Inject, Injectable } from '@nestjs/common';
import type { BulkAnswer, BulkResolution } from '@meridian/contract';
import { type ConflictFilter, type Operator, Refused, type Resolving, type ShownConflict, type Writer } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { API_OPTIONS, API_PORTS, type ApiOptions } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { filterOf, requireKnown } from './conflict-filter.js';

/** What an answer lists one by one. */
const LISTED = 100;

type Item = BulkAnswer['items'][number];

/**
 * Conflicts by filter, oldest first: of several of one row the newest is what remains. Each is decided in a transaction of
 * its own, as it was read: one that cannot be, or that somebody decides meanwhile, keeps none of the others.
 */
@Injectable()
export class BulkService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    @Inject(API_OPTIONS) private readonly options: ApiOptions,
  ) {}

  async resolve(request: BulkResolution, writer: Writer): Promise<BulkAnswer> {
    const { regions } = this.options;
    if (typeof request.strategy === 'object' && !regions.includes(request.strategy.origin))
      throw new ApiProblem(
        'unknown_region',
        `there is no region ${request.strategy.origin}: the regions are ${regions.join(', ')}`,
      );
    if (request.filter.status === 'withdrawn')
      throw new ApiProblem('invalid_document', 'filter.status: withdrawn conflicts have nothing to resolve');
    const filter = filterOf(this.options, { ...request.filter, status: request.filter.status ?? 'open' });
    return request.dryRun ? this.#tried(request, filter) : this.#done(request, filter, writer);
  }

  async #tried({ cursor }: BulkResolution, filter: Omit<ConflictFilter, 'limit'>): Promise<BulkAnswer> {
    const matched = await this.ports.conflicts.count(filter);
    await requireKnown(this.ports, filter, matched);
    const { items, next } = await this.ports.conflicts.list({ ...filter, cursor, oldestFirst: true, limit: LISTED });
    return { dryRun: true, matched, resolved: 0, items: items.map(itemOf), refused: [], next };
  }

  async #done(request: BulkResolution, filter: Omit<ConflictFilter, 'limit'>, writer: Writer): Promise<BulkAnswer> {
    const { cursor, limit } = request;
    const page = await this.ports.conflicts.list({ ...filter, cursor, limit, oldestFirst: true });
    await requireKnown(this.ports, filter, page.items.length);
    const resolved: Item[] = [];
    const refused: BulkAnswer['refused'][number][] = [];
    for (const shown of page.items) {
      const refusal = await this.#one(shown, request, { ...writer, version: shown.version });
      if (refusal === null) resolved.push(itemOf(shown));
      else refused.push({ ...itemOf(shown), ...refusal });
    }
    const items = resolved.slice(0, LISTED);
    return { dryRun: false, matched: null, resolved: resolved.length, items, refused, next: page.next };
  }

  async #one(
    { id }: ShownConflict,
    { strategy, note }: BulkResolution,
    operator: Operator,
  ): Promise<{ readonly code: string; readonly detail: string } | null> {
    const { desk } = this.ports;
    try {
      await desk.resolve(id, { choice: choiceOf(strategy), note: note ?? null }, operator);
      return null;
    } catch (error) {
      // The database being away is this call's failure, not the conflict's.
      if (!(error instanceof Refused) || UNAVAILABLE.has(error.code)) throw error;
      return { code: error.code, detail: error.message };
    }
  }
}

function choiceOf(strategy: BulkResolution['strategy']): Resolving['choice'] {
  if (strategy === 'loser') return { kind: 'undo' };
  if (strategy === 'winner') return { kind: 'accept' };
  return { kind: 'version', version: { kind: 'origin', origin: strategy.origin }, columns: null };
}

const UNAVAILABLE: ReadonlySet<string> = new Set(['database_unavailable', 'overloaded', 'database_error']);

function itemOf({ conflict }: ShownConflict): Item {
  const { id, table, key, kind } = JSON.parse(conflict) as Item;
  return { id, table, key, kind };
}
