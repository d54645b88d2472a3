import { Inject, Injectable } from '@nestjs/common';
import { HEADERS, type HistoryQuery, type RowExplanation, type RowHistory, type RowSiblings } from '@meridian/contract';
import {
  explainRow,
  type LogReach,
  type ParkReason,
  parseKey,
  Refused,
  type RowKey,
  type RowTable,
} from '@meridian/core';
import type { DataRequest } from '../data/data-request.js';
import { DataService, noRow } from '../data/data.service.js';
import type { Answer } from '../http/answer.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { SessionService } from '../session/session.service.js';

/** What the contract has as lists, none of which is changed any more. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** What became of one row, and why; session in, one look, session out. */
@Injectable()
export class RowLogService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    private readonly data: DataService,
    private readonly sessions: SessionService,
  ) {}

  history(tableName: string, keyText: string, page: HistoryQuery, request: DataRequest): Promise<Answer> {
    return this.#reading(tableName, keyText, request, async (table, key): Promise<Frozen<RowHistory>> => {
      const found = await this.ports.rowLog.history(table.name, key, { limit: page.limit, cursor: page.cursor });
      if (found === null) throw unknownRow(table);
      const { items, next, reach } = found;
      const { complete, since } = reach;
      return {
        ...{ table: table.name, key: partsOf(found.key), items, next },
        ...{ complete, since, forgotten: complete ? null : forgottenOf(reach) },
      };
    });
  }

  siblings(tableName: string, keyText: string, request: DataRequest): Promise<Answer> {
    return this.#reading(tableName, keyText, request, async (table, key): Promise<Frozen<RowSiblings>> => {
      const found = await this.ports.rowLog.siblings(table.name, key);
      if (found === null) throw noRow(table);
      return { table: table.name, key: partsOf(found.key), registers: found.registers };
    });
  }

  explain(tableName: string, keyText: string, request: DataRequest): Promise<Answer> {
    return this.#reading(tableName, keyText, request, async (table, key): Promise<Frozen<RowExplanation>> => {
      const standing = await this.ports.rowLog.standing(table.name, key);
      if (standing === null) throw unknownRow(table);
      const { place: _place, parked, ...explanation } = explainRow(standing);
      return {
        ...{ table: table.name, key: partsOf(standing.key) },
        ...explanation,
        parked: parked === null ? null : shown(parked),
      };
    });
  }

  async #reading(
    tableName: string,
    keyText: string,
    request: DataRequest,
    read: (table: RowTable, key: readonly string[]) => Promise<object>,
  ): Promise<Answer> {
    const table = await this.data.table(tableName);
    const key = parseKey(keyText, table.keyColumns.length);
    const seen = await this.sessions.enter(request);
    const answer = await read(table, key);
    const headers = { [HEADERS.session]: await this.sessions.leaveRead(seen) };
    return { status: 200, headers, body: JSON.stringify(answer) };
  }
}

const unknownRow = ({ name }: RowTable): Refused =>
  new Refused(
    'row_not_found',
    `${name} has no row with this key in this region, and neither its log nor a conflict knows of one`,
    { table: name },
  );

const partsOf = (key: RowKey): string[] => JSON.parse(key) as string[];

const forgottenOf = ({ since, dropped }: LogReach): string =>
  dropped && since !== null
    ? `the log reaches back to ${since}: what was written to this row before is in no history`
    : 'the row was there before its table was enrolled: what was written to it until then is in no history';

const shown = ({ kind, constraint, other }: ParkReason): RowExplanation['parked'] => ({
  ...{ kind, constraint, other: { table: other.table, key: partsOf(other.key) } },
  reason:
    kind === 'unique_key'
      ? `parked: ${other.table} ${other.key} has the earlier claim on ${constraint}; the row returns when the key is free`
      : `parked: ${other.table} ${other.key}, to which ${constraint} refers, is deleted; the row returns with it`,
});
