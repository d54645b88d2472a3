import { z } from 'zod';
import { ConflictVersion, Values } from './conflicts.js';

export const RowSiblings = z
  .object({
    table: z.string(),
    key: z.array(z.string()),
    registers: z
      .array(
        z.object({
          columns: z.array(z.string()).describe('More than one: a group, whose values belong together'),
          shown: Values.describe('What the row has'),
          siblings: z
            .array(
              ConflictVersion.omit({ op: true }).extend({
                conflict: z.string().describe('The open conflict that keeps it; resolving that chooses it'),
              }),
            )
            .describe('What other regions wrote beside it, unseen, and nobody has written over since; oldest first'),
        }),
      )
      .describe('Columns and groups with the policy "register" that have siblings'),
  })
  .meta({ id: 'RowSiblings' });
export type RowSiblings = z.infer<typeof RowSiblings>;
