import { z } from 'zod';
import { CONFLICT_KINDS, ConflictFilter } from './conflicts.js';
import { Row } from './rows.js';

export const ConflictExportQuery = ConflictFilter.extend({
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
});
export type ConflictExportQuery = z.infer<typeof ConflictExportQuery>;

const Text = z
  .string()
  .min(1)
  .max(4000)
  .refine((text) => !text.includes('\0'), 'PostgreSQL keeps no NUL character: leave it out');
const Note = Text.optional().describe('Why; kept with the decision');

const ConflictVersionChoice = z
  .union([z.int().min(0), z.strictObject({ origin: z.string(), id: z.int() })], {
    error: 'takes its place among `versions`, from 0, or {"origin": "us", "id": 7}',
  })
  .describe('One of `versions`: its place, from 0, or its origin and id');

export const ConflictResolution = z
  .discriminatedUnion('strategy', [
    z.strictObject({
      strategy: z.literal('version'),
      version: ConflictVersionChoice,
      columns: z.array(z.string()).min(1).optional().describe('Of what it wrote; else the contested ones'),
      note: Note,
    }),
    z.strictObject({
      strategy: z.literal('value'),
      value: Row.describe('Column → value, as for a PATCH of the row'),
      note: Note,
    }),
    z.strictObject({ strategy: z.literal('accept').describe('The row stays as it is'), note: Note }),
  ])
  .meta({
    id: 'ConflictResolution',
    description: 'A note is required with a value, and where somebody else has decided the conflict',
  });
export type ConflictResolution = z.infer<typeof ConflictResolution>;

export const ConflictRemark = z
  .strictObject({ note: Note })
  .meta({ id: 'ConflictRemark', description: 'A note is required where somebody else has decided the conflict' });
export const ConflictAssignment = z
  .strictObject({ to: Text.max(200).nullable().describe('null: to nobody') })
  .meta({ id: 'ConflictAssignment' });
export const ConflictSnooze = z
  .strictObject({ until: z.iso.datetime({ offset: true }).nullable().describe('To come; null: not any more') })
  .meta({ id: 'ConflictSnooze' });
export const ConflictNote = z.strictObject({ note: Text.nullable() }).meta({ id: 'ConflictNote' });

export const BulkResolution = z
  .strictObject({
    filter: ConflictFilter.describe('As of the list; {} names all, and has to be said'),
    strategy: z.union(
      [
        z.literal('loser').describe('What was overwritten goes back'),
        z.literal('winner').describe('The rows stay as they are'),
        z.strictObject({ origin: z.string().describe("Each conflict's version of this region") }),
      ],
      { error: 'takes "loser", "winner", or {"origin": "a region"}' },
    ),
    note: Note,
    dryRun: z.boolean().default(false).describe('Says which it would be, and changes nothing'),
    limit: z.int().min(1).max(1000).default(200).describe('Decided by one call'),
    cursor: z.string().max(500).optional().describe('`next` of the call before'),
  })
  .meta({
    id: 'BulkResolution',
    description: 'Oldest first, each in a transaction of its own. Without a status in the filter: open ones',
  });
export type BulkResolution = z.infer<typeof BulkResolution>;

const Resolved = z.object({
  id: z.string(),
  table: z.string(),
  key: z.array(z.string()),
  kind: z.enum(CONFLICT_KINDS),
});
export const BulkAnswer = z
  .object({
    dryRun: z.boolean(),
    matched: z
      .int()
      .nullable()
      .describe('How many the filter names, 10,000 at most (then there may be more); of a dry run only'),
    resolved: z.int(),
    items: z.array(Resolved).describe('The first 100 of those that are (or, of a dry run, would be) resolved'),
    refused: z.array(Resolved.extend({ code: z.string(), detail: z.string() })),
    next: z.string().nullable(),
  })
  .meta({ id: 'BulkAnswer' });
export type BulkAnswer = z.infer<typeof BulkAnswer>;
