import { z } from 'zod';

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
