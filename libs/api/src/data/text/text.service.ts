import { Inject, Injectable } from '@nestjs/common';
import { HEADERS, type RowText, TextEdit } from '@meridian/contract';
import {
  type ChangeName,
  editBeside,
  opsOfUpdate,
  parseKey,
  parseQuery,
  Refused,
  type RowTable,
  type RowWrite,
  stateOf,
  type TextPlace,
  valuesText,
} from '@meridian/core';
import { parseJsonText } from '../../body/json-text.js';
import type { Answer } from '../../http/answer.js';
import { checked } from '../../http/document.pipe.js';
import { API_PORTS } from '../../options.js';
import type { ApiPorts } from '../../ports.js';
import { SessionService } from '../../session/session.service.js';
import { type DataRequest, refusePrecondition } from '../data-request.js';
import { DataService, noRow } from '../data.service.js';
import { choosesNone } from '../path-key.js';
import { digestOf, parseVersion, versionOf } from './text-version.js';

/** The row has moved on between reading and writing so many times that its writers leave no room. */
const TRIES = 10;

/** Which text: a column of a row. */
interface Place {
  readonly table: RowTable;
  readonly key: readonly string[];
  readonly column: string;
}

/** The text of one row's column: read with a version, and edited by what changed since that version. */
@Injectable()
export class TextService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    private readonly data: DataService,
    private readonly sessions: SessionService,
  ) {}

  async read(tableName: string, keyText: string, column: string, request: DataRequest): Promise<Answer> {
    const place = await this.#place(tableName, keyText, column, request);
    const seen = await this.sessions.enter(request);
    const { value, heads } = await this.#present(place);
    const headers = { [HEADERS.session]: await this.sessions.leaveRead(seen) };
    return { ...answerOf(value, heads), headers };
  }

  async edit(tableName: string, keyText: string, column: string, request: DataRequest): Promise<Answer> {
    refusePrecondition(request.etag, 'If-Match', 'with a write of the row; here "base" says what was read');
    const place = await this.#place(tableName, keyText, column, request);
    parseJsonText(request.body);
    const edit = checked(TextEdit, JSON.parse(request.body));
    const base = parseVersion(edit.base);
    // A session that has seen the version has to be reached before it is looked for.
    await this.sessions.enter(request);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#editOnce(place, base, edit, request);
      } catch (error) {
        const movedOn = error instanceof Refused && error.code === 'precondition_failed';
        if (!movedOn) throw error;
        if (attempt >= TRIES) throw contended(place, error);
      }
    }
  }

  async #editOnce(place: Place, base: TextPlace, edit: TextEdit, request: DataRequest): Promise<Answer> {
    const { table, key, column } = place;
    const { heads } = await this.#present(place);
    const row = await this.ports.rows.readOne(table, key, [{ column, as: 'text' }]);
    if (row === null) throw noRow(table);
    const { text } = JSON.parse(row.row) as { readonly text: string | null };
    const from = digestOf(text ?? '') === base.digest ? (text ?? '') : await this.#base(place, base);
    const ops = 'ops' in edit ? edit.ops : opsOfUpdate(from, base.digest, Buffer.from(edit.yjs, 'base64'));
    const merged = editBeside(from, ops, text ?? '');
    const value = merged === '' ? text && '' : merged;
    const write: RowWrite = {
      ...{ kind: 'update', table, columns: [column], values: valuesText({ [column]: value }) },
      ...{ target: { kind: 'key', key, etag: row.etag }, returning: { kind: 'nothing' } },
    };
    return this.data.writeAll(request, [write], ([result]) => {
      if (result!.count === 0) throw new Refused('precondition_failed', 'the row has changed', { table: table.name });
      // What this writes is in the log as it is; what was there already may have been merged.
      return answerOf(value, value === text ? heads : []);
    });
  }

  async #place(tableName: string, keyText: string, column: string, request: DataRequest): Promise<Place> {
    choosesNone(parseQuery(request.parameters));
    const table = await this.data.table(tableName);
    return { table, key: parseKey(keyText, table.keyColumns.length), column };
  }

  async #present({ table, key, column }: Place) {
    const present = await this.ports.rowLog.text(table.name, key, column);
    if (present === null) throw noRow(table);
    return present;
  }

  async #base({ table, key, column }: Place, base: TextPlace): Promise<string> {
    const text = await this.ports.rowLog.textAt(table.name, key, column, base);
    if (text !== null) return text;
    throw new Refused(
      'text_version_expired',
      'the log of this region does not, or no longer, tell what text "base" was: GET it anew, make the edit on that, and send its version',
      { table: table.name, column },
    );
  }
}

function answerOf(text: string | null, heads: readonly ChangeName[]): Answer {
  const yjs = Buffer.from(stateOf(text ?? '', digestOf(text ?? ''))).toString('base64');
  const body = { text, version: versionOf(text, heads), yjs } satisfies RowText;
  return { status: 200, headers: {}, body: JSON.stringify(body) };
}

const contended = ({ table, column }: Place, cause: unknown): Refused =>
  new Refused(
    'write_contention',
    `the row was written ${TRIES} times while the edit was merged: send it again`,
    { table: table.name, column },
    { cause },
  );
