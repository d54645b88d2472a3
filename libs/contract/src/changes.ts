import { CONFLICT_EVENTS } from '@meridian/core';
import { z } from 'zod';
import { CONFLICT_KINDS } from './conflicts.js';

export const ChangeEvent = z
  .object({
    table: z.string(),
    op: z.enum(['insert', 'update', 'delete']),
    key: z.array(z.string()),
    origin: z.string(),
    seq: z.int().nullable().describe("The origin's tick; null for a change of this region"),
    stamp: z.string(),
    wall: z.string(),
    actor: z.string(),
    application: z.string().nullable().describe('The program it was written with; null: not known'),
    patch: z
      .record(z.string(), z.string().nullable())
      .nullable()
      .describe('What was written; of a counter, the difference'),
    before: z.record(z.string(), z.string().nullable()).nullable(),
  })
  .meta({ id: 'ChangeEvent', description: 'The data of one SSE event; its id is the cursor to resume from' });
export type ChangeEvent = z.infer<typeof ChangeEvent>;

export const ChangesQuery = z.strictObject({
  since: z
    .string()
    .max(8192)
    .optional()
    .describe(
      'A cursor (the id of an event), or `beginning` for all that the log still holds; without it: from now on',
    ),
  table: z.string().min(1).max(300).optional(),
});

export const ConflictChange = z
  .object({
    type: z
      .enum([...CONFLICT_EVENTS, 'conflict.forgotten'])
      .describe('forgotten: it had been closed for as long as such records are kept'),
    id: z.string().describe("The conflict's"),
    table: z.string().nullable().describe('null, as all that follows: the record is not there any more'),
    key: z.array(z.string()).nullable(),
    kind: z.enum(CONFLICT_KINDS).nullable(),
    region: z.string().nullable().describe('Where the overwritten change was written'),
    reason: z.string().nullable(),
    decision: z
      .object({ strategy: z.string(), by: z.string(), region: z.string(), note: z.string().nullable() })
      .nullable()
      .describe('Of resolved and reopened: what was decided'),
    origin: z.string().describe('The region where this became of it'),
    seq: z.int().nullable().describe("The origin's tick; null: this region's"),
    wall: z.string(),
    actor: z.string(),
    application: z.string().nullable(),
  })
  .meta({ id: 'ConflictChange', description: 'The data of one SSE event; its id is the cursor to resume from' });
export type ConflictChange = z.infer<typeof ConflictChange>;

export const ConflictChangesQuery = ChangesQuery.extend({
  table: z.string().min(1).max(300).optional().describe('Only conflicts of this table'),
});
