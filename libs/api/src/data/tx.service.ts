import { Injectable } from '@nestjs/common';
import { type TxOperation, TxRequest } from '@meridian/contract';
import {
  type JsonText,
  parseQuery,
  Refused,
  type Returning,
  type RowTable,
  type RowWrite,
  type Target,
  type WriteResult,
} from '@meridian/core';
import { type JsonNode, member, parseJsonText, textOf } from '../body/json-text.js';
import { rowBody, singleRow } from '../body/row-body.js';
import type { Answer } from '../http/answer.js';
import { ApiProblem } from '../http/api-problem.js';
import { checked } from '../http/document.pipe.js';
import { type DataRequest, readEtag, refusePrecondition } from './data-request.js';
import { DataService } from './data.service.js';
import { pathKeyAgrees } from './path-key.js';

/** An operation as checked, and where its parts stand in the body's text: values go to PostgreSQL from there. */
interface Located {
  readonly operation: TxOperation;
  readonly node: JsonNode;
}

@Injectable()
export class TxService {
  constructor(private readonly data: DataService) {}

  async run(request: DataRequest): Promise<Answer> {
    refusePrecondition(
      request.etag,
      'If-Match',
      'with a write of one row by its key, here as an operation\'s "ifMatch"',
    );
    const { operations, returning } = located(request.body);
    const writes: RowWrite[] = [];
    for (const { operation, node } of operations) {
      const table = await this.data.table(operation.table);
      writes.push({ ...writeOf(table, operation, node, request.body), returning });
    }
    return this.data.writeAll(request, writes, (results) => answer(writes, results));
  }
}

function located(text: string): { readonly operations: readonly Located[]; readonly returning: Returning } {
  const root = parseJsonText(text);
  const request = checked(TxRequest, JSON.parse(text));
  const nodes = member(root, 'operations');
  if (nodes?.kind !== 'array') throw new ApiProblem('bad_body', '"operations" is an array');
  return {
    operations: request.operations.map((operation, i) => ({ operation, node: nodes.items[i]! })),
    returning: request.return === 'representation' ? { kind: 'rows', select: null } : { kind: 'nothing' },
  };
}

function writeOf(table: RowTable, operation: TxOperation, node: JsonNode, text: string): RowWrite {
  const returning: Returning = { kind: 'nothing' };
  switch (operation.op) {
    case 'insert': {
      const body = rowBody(text, member(node, 'rows')!);
      const resolution =
        operation.resolution === 'merge-duplicates'
          ? 'merge'
          : operation.resolution === 'ignore-duplicates'
            ? 'ignore'
            : null;
      const onConflict = resolution === null ? null : ({ resolution, columns: operation.onConflict ?? null } as const);
      return {
        kind: 'insert',
        table,
        columns: body.columns,
        values: body.values,
        many: body.many,
        onConflict,
        returning,
      };
    }
    case 'update': {
      const body = singleRow(rowBody(text, member(node, 'values')!));
      if (body.columns.length === 0) throw new ApiProblem('bad_body', 'an update names no column to change');
      return {
        kind: 'update',
        table,
        target: targetOf(table, operation, node, text),
        columns: body.columns,
        values: body.values,
        returning,
      };
    }
    case 'replace': {
      const body = singleRow(rowBody(text, member(node, 'values')!));
      const key = keyOf(table, member(node, 'key')!, text);
      pathKeyAgrees(table, key, body);
      return {
        kind: 'replace',
        table,
        key,
        etag: etagOf(operation.ifMatch),
        columns: body.columns,
        values: body.values,
        returning,
      };
    }
    case 'delete':
      return { kind: 'delete', table, target: targetOf(table, operation, node, text), returning };
  }
}

function targetOf(
  table: RowTable,
  operation: Extract<TxOperation, { op: 'update' | 'delete' }>,
  node: JsonNode,
  text: string,
): Target {
  const key = member(node, 'key');
  if ((key === undefined) === (operation.filter === undefined))
    throw new Refused('filter_required', `an operation on ${table.name} takes either "key" or "filter"`, {
      table: table.name,
    });
  if (key !== undefined) return { kind: 'key', key: keyOf(table, key, text), etag: etagOf(operation.ifMatch) };
  const { where } = parseQuery(new URLSearchParams(operation.filter));
  if (operation.ifMatch !== undefined)
    throw new ApiProblem('bad_body', 'ifMatch goes with "key": one row, as it was read. Nothing was written');
  if (where.length === 0)
    throw new Refused('filter_required', `the filter of an operation on ${table.name} is empty`, { table: table.name });
  return { kind: 'where', where };
}

/** Numbers as they were written, strings as they read. */
function keyOf(table: RowTable, node: JsonNode, text: string): readonly string[] {
  const items = node.kind === 'array' ? node.items : [];
  if (items.length !== table.keyColumns.length)
    throw new Refused(
      'bad_key',
      `a key of ${table.name} has ${table.keyColumns.length} parts: ${table.keyColumns.join(', ')}`,
      { table: table.name },
    );
  return items.map((item) => {
    const raw = textOf(text, item);
    return raw.startsWith('"') ? (JSON.parse(raw) as string) : raw;
  });
}

function etagOf(ifMatch: string | undefined): string | null {
  if (ifMatch === undefined) return null;
  const etag = readEtag(ifMatch);
  if (etag === null)
    throw new ApiProblem('bad_body', 'ifMatch takes one ETag as an answer gave it, with its double quotes');
  return etag;
}

function answer(writes: readonly RowWrite[], results: readonly WriteResult[]): Answer {
  const parts = results.map((result, i) => {
    const write = writes[i]!;
    const byKey = write.kind === 'replace' || ('target' in write && write.target.kind === 'key');
    // All or nothing: a row that is not there, or has changed, undoes the others.
    if (byKey && result.count === 0) throw unmet(write, i);
    return write.returning.kind === 'rows'
      ? `{"count":${result.count},"rows":[${result.rows.join(',')}]}`
      : `{"count":${result.count}}`;
  });
  return { status: 200, headers: {}, body: `{"results":[${parts.join(',')}]}` as JsonText };
}

function unmet(write: RowWrite, index: number): Refused {
  const etag =
    write.kind === 'replace' ? write.etag : 'target' in write && write.target.kind === 'key' ? write.target.etag : null;
  const code = etag === null ? 'row_not_found' : 'precondition_failed';
  return new Refused(
    code,
    `operation ${index + 1} of the transaction met no ${etag === null ? '' : 'unchanged '}row in ${write.table.name}: nothing was written`,
    {
      table: write.table.name,
    },
  );
}
