import { z } from 'zod';
import { Values } from './conflicts.js';
import { TablePolicy } from './tables.js';

export const PolicyPreviewRequest = z
  .strictObject({
    table: z.string().min(1).max(300).describe('items, schema.items or "My Schema"."My Table"'),
    policy: TablePolicy.prefault({}).describe('As PUT /v1/tables/{table} takes it'),
    since: z.iso.datetime({ offset: true }).optional().describe('Only conflicts recorded at this time or later'),
    limit: z.int().min(1).max(50_000).default(10_000).describe('At most so many, the newest'),
  })
  .meta({ id: 'PolicyPreviewRequest' });
export type PolicyPreviewRequest = z.infer<typeof PolicyPreviewRequest>;

const End = Values.nullable().describe('null: the row does not exist');

export const PolicyPreview = z
  .object({
    table: z.string(),
    looked: z.int().describe('Recorded conflicts that were looked at'),
    more: z.boolean().describe('There are older ones that were not'),
    same: z.int(),
    different: z.int(),
    items: z
      .array(
        z.object({
          id: z.string(),
          key: z.array(z.string()),
          columns: z.array(z.string()).describe("None: the row's existence"),
          present: End,
          other: End,
        }),
      )
      .describe('The newest 100 that would end differently: how they ended, and how they would'),
    notReplayed: z.int(),
    reasons: z.array(
      z.object({
        code: z.string(),
        detail: z.string(),
        count: z.int(),
        examples: z.array(z.string()).describe('Ids of some of them'),
      }),
    ),
  })
  .meta({ id: 'PolicyPreview' });
export type PolicyPreview = z.infer<typeof PolicyPreview>;
