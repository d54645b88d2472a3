import { z } from 'zod';
import { Statements } from './statements.js';

export const SEVERITIES = ['error', 'warning', 'info'] as const;

const Finding = z
  .object({
    severity: z
      .enum(SEVERITIES)
      .describe('error: something does not replicate, or may be lost; warning: it soon may; info: good to know'),
    code: z.string(),
    about: z.string().describe('`server`, `log`, a region, a role, a session, a transaction, or a table'),
    detail: z.string(),
    cure: z.string().nullable().describe('What mends it; SQL where there is any'),
    meaning: z.string().optional().describe('For replication'),
    sql: Statements.optional(),
  })
  .meta({ id: 'Finding' });
export type Finding = z.infer<typeof Finding>;

const ExaminedTable = z
  .object({
    table: z.string(),
    state: z
      .enum(['enrolled', 'waiting', 'can_be_enrolled', 'refused'])
      .describe('refused: PUT /v1/tables/{table} would be, as the table is now'),
    reasons: z
      .array(z.object({ code: z.string(), detail: z.string(), cure: z.string() }))
      .describe('Why enrolling it would be refused; of an enrolled table, enrolling it anew'),
  })
  .meta({ id: 'ExaminedTable' });

export const Diagnosis = z
  .object({
    region: z.string().describe('The region that answers; each is asked by itself'),
    at: z.iso.datetime(),
    items: z.array(Finding).describe('Errors first'),
    tables: z.array(ExaminedTable).describe('Every table of the schemas of users'),
    next: z.null(),
  })
  .meta({ id: 'Diagnosis', description: 'What is wrong in a region, and what mends it' });
export type Diagnosis = z.infer<typeof Diagnosis>;
