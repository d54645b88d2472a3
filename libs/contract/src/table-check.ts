import { z } from 'zod';
import { SEVERITIES } from './diagnosis.js';
import { Statements } from './statements.js';
import { TablePolicy } from './tables.js';

export const TABLE_SEVERITIES = [...SEVERITIES, 'hint'] as const;

const TableFinding = z
  .object({
    severity: z
      .enum(TABLE_SEVERITIES)
      .describe(
        'error: it cannot be enrolled, or does not replicate; warning: it soon may not; info: good to know; hint: it may be better otherwise',
      ),
    code: z.string(),
    subject: z.string().describe('The table, or what of it, or the region in which it differs'),
    message: z.string(),
    meaning: z.string().describe('For replication'),
    cure: z.object({
      text: z.string(),
      sql: Statements.optional(),
      alternatives: z.array(z.object({ text: z.string(), sql: Statements })).optional(),
    }),
  })
  .meta({ id: 'TableFinding' });
export type TableFinding = z.infer<typeof TableFinding>;

/** What `GET /v1/tables/{table}/check` answers. */
export const TableCheck = z
  .object({
    table: z.string(),
    region: z.string().describe('The region that answers; it has compared its table with those of the others'),
    state: z.enum(['enrolled', 'waiting', 'can_be_enrolled', 'refused']),
    items: z.array(TableFinding).describe('Errors first'),
    next: z.null(),
  })
  .meta({ id: 'TableCheck', description: 'What is to be known of a table before it is enrolled, and while it is' });
export type TableCheck = z.infer<typeof TableCheck>;

/** A query parameter is text: here, of a JSON document. */
const PolicyText = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('is no JSON: write {"columns":{"stock":"counter"}}, percent-encoded');
    return z.NEVER;
  }
});

export const TableCheckQuery = z.strictObject({
  policy: PolicyText.pipe(TablePolicy)
    .optional()
    .describe('A policy, as PUT takes it: the table is checked as if it were enrolled under it'),
});
export type TableCheckQuery = z.infer<typeof TableCheckQuery>;
