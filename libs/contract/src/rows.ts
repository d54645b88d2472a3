import { z } from 'zod';

/** Numbers keep every digit: they are passed on as text, whatever their length. Clients may send them as strings. */
export const Row = z
  .record(z.string(), z.unknown())
  .meta({ id: 'Row', description: 'Column → value, as PostgreSQL writes JSON' });
export const Rows = z.array(Row).meta({ id: 'Rows' });
export const RowOrRows = z.union([Row, Rows]);

const Table = z.string().min(1).max(300).describe('items, schema.items, "My Schema"."My Table"');
const Key = z
  .array(z.union([z.string(), z.number(), z.boolean()]))
  .min(1)
  .max(32)
  .describe('One value per key column; long numbers as strings');
const Filter = z.string().min(1).max(8192).describe("A query string in PostgREST's grammar: qty=gte.5&name=eq.pen");

export const TxOperation = z
  .discriminatedUnion('op', [
    z.strictObject({
      op: z.literal('insert'),
      table: Table,
      rows: RowOrRows,
      resolution: z.enum(['merge-duplicates', 'ignore-duplicates']).optional(),
      onConflict: z.array(z.string()).min(1).optional().describe('Columns of a unique key; else the primary key'),
    }),
    z.strictObject({
      op: z.literal('update'),
      table: Table,
      key: Key.optional(),
      filter: Filter.optional(),
      ifMatch: z.string().optional(),
      values: Row,
    }),
    z.strictObject({ op: z.literal('replace'), table: Table, key: Key, ifMatch: z.string().optional(), values: Row }),
    z.strictObject({
      op: z.literal('delete'),
      table: Table,
      key: Key.optional(),
      filter: Filter.optional(),
      ifMatch: z.string().optional(),
    }),
  ])
  .meta({ id: 'TxOperation' });
export type TxOperation = z.infer<typeof TxOperation>;

export const TxRequest = z
  .strictObject({
    operations: z.array(TxOperation).min(1).max(1000),
    return: z.enum(['minimal', 'representation']).default('minimal'),
  })
  .meta({ id: 'TxRequest', description: 'Done in their order, in one transaction: all of them or none' });
export type TxRequest = z.infer<typeof TxRequest>;

export const TxResponse = z
  .object({ results: z.array(z.object({ count: z.int(), rows: z.array(Row).optional() })) })
  .meta({ id: 'TxResponse', description: 'One result per operation' });
export type TxResponse = z.infer<typeof TxResponse>;
