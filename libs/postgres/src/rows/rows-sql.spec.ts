import { parseQuery, Refused, type JsonText, type RowTable, type RowWrite, type TableName } from '@meridian/core';
import * as fc from 'fast-check';
import { readOneSql, readSql } from './read-sql.js';
import { writeSql } from './write-sql.js';

const column = (name: string, type: string, writable = true) => ({
  ...{ name, type, writable },
  ...{ notNull: false, generated: !writable },
});
const ITEMS: RowTable = {
  name: 'public.items' as TableName,
  ref: { schema: 'public', name: 'items' },
  columns: [
    column('id', 'bigint'),
    column('name', 'text'),
    column('qty', 'integer'),
    column('tags', 'text[]'),
    column('total', 'bigint', false),
  ],
  keyColumns: ['id'],
};
/** Names that are legal in PostgreSQL, and would be an injection if they were not quoted. */
const ODD: RowTable = {
  name: '"My ""Schema"."Robert\'); drop table students;--"' as TableName,
  ref: { schema: 'My "Schema', name: "Robert'); drop table students;--" },
  columns: [column('a"b', 'text'), column('select', '"My ""Schema".mood'), column('__proto__', 'numeric(10,2)')],
  keyColumns: ['a"b', 'select'],
};
const values = (text: string) => text as JsonText;
const NOTHING = { kind: 'nothing' } as const;
const ALL = { kind: 'rows', select: null } as const;

const read = (table: RowTable, query: string) => readSql(table, parseQuery(new URLSearchParams(query)));

describe('reads as SQL', () => {
  it.each([
    '',
    'qty=gte.5&name=not.like.*pen*&order=qty.desc.nullslast,id&limit=50&offset=10&select=id,n:name',
    'id=in.(1,"2,3",4)&tags=cs.{a,b}&name=is.null&qty=not.is.unknown',
    'or=(id.eq.1,and(qty.gt.2,not.or(name.ilike."a,b)",tags.ov.{x}),id.in.(5,6)))&not.and=(qty.lt.3,qty.neq.9)',
    'id=in.()',
    `name=eq.'; drop table items; --`,
  ])('?%s', (query) => expect(read(ITEMS, query)).toMatchSnapshot());

  it('quotes what the catalog calls by odd names', () => {
    expect(read(ODD, '"a""b"=eq.x&order="select".desc&select="__proto__"')).toMatchSnapshot();
    expect(readOneSql(ODD, ['x', 'happy'], null)).toMatchSnapshot();
  });

  it('refuses columns that the catalog does not know, wherever they stand', () => {
    for (const query of [
      'x=eq.1',
      'select=x',
      'order=x',
      'or=(x.eq.1)',
      'select=id;drop',
      'total)--=eq.1',
      'constructor=eq.1',
    ])
      expect(() => read(ITEMS, query)).toThrow(Refused);
  });
});

const WRITES: { readonly [what: string]: RowWrite } = {
  insert: {
    kind: 'insert',
    table: ITEMS,
    columns: ['id', 'qty'],
    values: values('{"id":1,"qty":2}'),
    many: false,
    onConflict: null,
    returning: NOTHING,
  },
  'bulk upsert': {
    kind: 'insert',
    table: ITEMS,
    columns: ['id', 'qty'],
    values: values('[{"id":1,"qty":2}]'),
    many: true,
    onConflict: { resolution: 'merge', columns: null },
    returning: ALL,
  },
  'bulk insert, duplicates ignored': {
    kind: 'insert',
    table: ODD,
    columns: ['a"b'],
    values: values('[]'),
    many: true,
    onConflict: { resolution: 'ignore', columns: ['a"b'] },
    returning: NOTHING,
  },
  'insert of defaults': {
    kind: 'insert',
    table: ITEMS,
    columns: [],
    values: values('{}'),
    many: false,
    onConflict: null,
    returning: NOTHING,
  },
  'update by filter': {
    kind: 'update',
    table: ITEMS,
    target: { kind: 'where', where: parseQuery([['qty', 'lt.1']]).where },
    columns: ['qty'],
    values: values('{"qty":1}'),
    returning: ALL,
  },
  'update by key with an etag': {
    kind: 'update',
    table: ODD,
    target: { kind: 'key', key: ['x', 'happy'], etag: 'abc' },
    columns: ['__proto__'],
    values: values('{"__proto__":1}'),
    returning: NOTHING,
  },
  'update by texts, as a change holds them': {
    kind: 'update',
    table: ITEMS,
    target: { kind: 'key', key: ['1'], etag: null },
    columns: ['qty', 'tags'],
    values: values('{"qty":"1.50","tags":"{a,b}"}'),
    texts: true,
    returning: NOTHING,
  },
  'insert by texts': {
    kind: 'insert',
    table: ITEMS,
    columns: ['id', 'tags'],
    values: values('{"id":"1","tags":null}'),
    many: false,
    onConflict: null,
    texts: true,
    returning: NOTHING,
  },
  replace: {
    kind: 'replace',
    table: ITEMS,
    key: ['1'],
    etag: null,
    columns: ['id', 'name'],
    values: values('{"id":1,"name":"x"}'),
    returning: NOTHING,
  },
  'replace with an etag': {
    kind: 'replace',
    table: ITEMS,
    key: ['1'],
    etag: 'abc',
    columns: ['name'],
    values: values('{"name":"x"}'),
    returning: ALL,
  },
  'replace a row of key columns only': {
    kind: 'replace',
    table: { ...ITEMS, columns: ITEMS.columns.slice(0, 1) },
    key: ['1'],
    etag: null,
    columns: [],
    values: values('{}'),
    returning: NOTHING,
  },
  delete: { kind: 'delete', table: ITEMS, target: { kind: 'key', key: ['1'], etag: null }, returning: NOTHING },
};

describe('writes as SQL', () => {
  it.each(Object.entries(WRITES))('%s', (_, write) => expect(writeSql(write, { actor: 'ann', application: 'curl' })).toMatchSnapshot());

  it('never writes a generated column', () => {
    const write = { ...WRITES['insert']!, columns: ['total'] } as RowWrite;
    expect(() => writeSql(write, { actor: '', application: null })).toThrow(/generated by PostgreSQL/);
  });
});

describe('whatever a request sends', () => {
  /** Marked, so that it can be told from the statement's own words. */
  const value = fc.string({ unit: 'grapheme' }).map((s) => `⟦${s.replaceAll('\0', '')}⟧`);
  const quoted = (v: string) => `"${v.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

  it('is a parameter, and never part of the SQL text', () => {
    fc.assert(
      fc.property(value, value, value, value, (a, b, c, d) => {
        const query = parseQuery([
          ['name', `eq.${a}`],
          ['tags', `in.(${quoted(b)})`],
          ['or', `(name.like.${quoted(c)},qty.not.gte.${quoted(d)})`],
        ]);
        const statements = [
          readSql(ITEMS, query),
          writeSql(
            {
              kind: 'update',
              table: ITEMS,
              target: { kind: 'where', where: query.where },
              columns: ['name'],
              values: values(JSON.stringify({ name: a })),
              returning: ALL,
            },
            { actor: b, application: c },
          ),
          writeSql({ kind: 'delete', table: ITEMS, target: { kind: 'key', key: [c], etag: d }, returning: NOTHING }, { actor: a, application: b }),
          readOneSql(ITEMS, [a], null),
        ];
        for (const statement of statements) expect(statement.text).not.toMatch(/[⟦⟧]/);
        expect(statements[0]!.values).toEqual([a, b, c.replaceAll('*', '%'), d]);
      }),
    );
  });

  it('gives the same text for the same shape, so that it is prepared once', () => {
    expect(read(ITEMS, 'qty=gt.1&limit=5').text).toBe(read(ITEMS, 'qty=gt.2&limit=6').text);
  });
});
