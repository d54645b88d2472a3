import { z } from 'zod';

export const CONFLICT_KINDS = [
  'insert_exists',
  'update_origin_differs',
  'update_exists',
  'update_deleted',
  'delete_origin_differs',
  'multiple_unique_conflicts',
  'foreign_key_missing',
  'check_violated',
] as const;

/** Column → PostgreSQL's text output; null is SQL's NULL. */
export const Values = z.record(z.string(), z.string().nullable());

export const ConflictVersion = z
  .object({
    origin: z.string(),
    id: z.int(),
    op: z.enum(['insert', 'update', 'delete']),
    stamp: z.string().describe('Hybrid logical clock, decimal text: it exceeds what JSON numbers hold'),
    wall: z.string().describe("The origin's clock, ISO 8601"),
    actor: z.string().describe('The Meridian-Actor, or `meridian.actor` of an SQL session, or its user'),
    application: z
      .string()
      .nullable()
      .optional()
      .describe('The User-Agent of a request, or the application_name of an SQL session; null: not known'),
    clockOffsetMs: z
      .number()
      .nullable()
      .optional()
      .describe(
        "How far its region's clock was ahead of the recording region's when that recorded it; null: not known. Of records only",
      ),
    values: Values,
  })
  .meta({ id: 'ConflictVersion' });

const Decision = z
  .object({
    strategy: z
      .enum(['version', 'value', 'accept', 'undo', 'undone', 'reopened'])
      .describe('undone and reopened: the conflict is open again'),
    version: z.object({ origin: z.string(), id: z.int() }).nullable(),
    written: z
      .object({ before: Values.nullable(), after: Values.nullable() })
      .nullable()
      .describe(
        'Columns of the row as they were and as they were written; null in it: no row. Null: nothing was written',
      ),
    by: z.string().describe('The Meridian-Actor; empty when it was not said'),
    region: z.string(),
    note: z.string().nullable(),
    at: z.string(),
  })
  .meta({ id: 'ConflictDecision', description: 'What an operator decided last' });

export const Conflict = z
  .object({
    id: z.string(),
    version: z
      .string()
      .describe('Another after every change, the same in every region; in quotes it is the ETag, for If-Match'),
    table: z.string(),
    key: z.array(z.string()),
    kind: z.enum(CONFLICT_KINDS),
    region: z.string().describe('Where the overwritten change was written'),
    status: z.enum(['open', 'withdrawn', 'resolved']),
    loser: ConflictVersion,
    versions: z.array(ConflictVersion),
    base: Values.nullable(),
    overwritten: z.array(
      z.object({
        columns: z.array(z.string()).describe("None: the row's existence"),
        part: z
          .array(z.string())
          .nullable()
          .optional()
          .describe('Of a value that is merged part by part, the keys down to this one'),
        policy: z.string(),
        epoch: z.int().optional().describe('With which that policy came: GET /v1/tables/{table}/revisions has it'),
        winner: z.object({ origin: z.string(), id: z.int() }),
        lost: Values,
        result: Values.nullable(),
        reason: z.string(),
      }),
    ),
    result: Values.nullable().describe('The row as decided; null: deleted'),
    reason: z.string(),
    decision: Decision.nullable(),
    assignee: z.string().nullable(),
    snoozedUntil: z.string().nullable(),
    note: z.object({ text: z.string(), by: z.string(), region: z.string(), at: z.string() }).nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Conflict' });
export type Conflict = z.infer<typeof Conflict>;

export const Conflicts = z.object({ items: z.array(Conflict), next: z.string().nullable() }).meta({ id: 'Conflicts' });
export type Conflicts = z.infer<typeof Conflicts>;

/** Which conflicts. */
export const ConflictFilter = z.strictObject({
  table: z.string().min(1).max(200).optional().describe('items, schema.items or "My Schema"."My Table"'),
  kind: z.enum(CONFLICT_KINDS).optional(),
  region: z.string().max(31).optional(),
  status: z.enum(['open', 'withdrawn', 'resolved']).optional(),
  since: z.iso.datetime({ offset: true }).optional().describe('Recorded at this time or later'),
});
export type ConflictFilter = z.infer<typeof ConflictFilter>;

export const ConflictQuery = ConflictFilter.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
});
export type ConflictQuery = z.infer<typeof ConflictQuery>;
