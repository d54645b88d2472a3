import { z } from 'zod';

export const TextOp = z
  .union([
    z.strictObject({ retain: z.int().min(1).describe('Pass over so many UTF-16 units') }),
    z.strictObject({ insert: z.string().min(1) }),
    z.strictObject({ delete: z.int().min(1).describe('Take out so many UTF-16 units') }),
  ])
  .meta({ id: 'TextOp' });
export type TextOp = z.infer<typeof TextOp>;

const Base = z.string().min(1).max(2_000).describe('The `version` that the edit was made on');

export const TextEdit = z
  .union(
    [
      z.strictObject({
        base: Base,
        ops: z.array(TextOp).min(1).max(10_000).describe('From the start of the text; what they do not reach stays'),
      }),
      z.strictObject({
        base: Base,
        yjs: z.base64().min(1).describe('An update of a Y.Doc that was begun from the `yjs` of this version'),
      }),
    ],
    {
      error:
        'send {"base": version, "ops": […]} with 1 to 10,000 of {"retain": n}, {"insert": "…"} and {"delete": n}, n from 1, or {"base": version, "yjs": update in base64}',
    },
  )
  .meta({ id: 'TextEdit' });
export type TextEdit = z.infer<typeof TextEdit>;

export const RowText = z
  .object({
    text: z.string().nullable(),
    version: z.string().describe('Names this text of this row: send it back as `base`'),
    yjs: z
      .base64()
      .describe(
        "State of a Y.Doc with the text in getText('text'), the same bytes in every region; each version's is a document of its own",
      ),
  })
  .meta({ id: 'RowText' });
export type RowText = z.infer<typeof RowText>;
