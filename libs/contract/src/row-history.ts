import { z } from 'zod';
import { CONFLICT_KINDS, ConflictVersion, Values } from './conflicts.js';

const ChangeName = z.object({ origin: z.string(), id: z.int() });

/** A clock is read when a conflict is recorded. */
const LoggedVersion = ConflictVersion.omit({ clockOffsetMs: true });

export const RowVersion = LoggedVersion.extend({
  seq: z
    .int()
    .nullable()
    .describe('The tick that carries it; null: none yet, or (not `traced`) one that is no longer kept'),
  epoch: z.int().describe("Of its table's policy when it was written"),
  before: Values.nullable().describe('What it wrote over; null: it inserted the row'),
  increments: z.array(z.string()).describe('Columns in `values` that hold a difference: counters'),
  traced: z.boolean().describe('False: what its writer had seen is forgotten, for every region has had it for long'),
  waiting: z.boolean().describe('In the log only: the table here cannot take it yet'),
  sees: z
    .boolean()
    .nullable()
    .describe(
      'Its writer had the version before it (the next item) in its database; null: there is none, or not known',
    ),
  concurrentWith: z.array(ChangeName).describe('Versions of which neither had seen the other; the newest 50'),
  concurrentTotal: z.int(),
}).meta({ id: 'RowVersion' });
export type RowVersion = z.infer<typeof RowVersion>;

export const RowHistory = z
  .object({
    table: z.string(),
    key: z.array(z.string()),
    items: z.array(RowVersion).describe('Newest first, in the order in which they came to be in this region'),
    next: z.string().nullable(),
    complete: z.boolean().describe("The row's insert is among its versions"),
    since: z.string().nullable().describe('The oldest change of any row that the log here still has'),
    forgotten: z.string().nullable().describe('What is missing, in words; null: nothing'),
  })
  .meta({ id: 'RowHistory' });
export type RowHistory = z.infer<typeof RowHistory>;

export const HistoryQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(100),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
});
export type HistoryQuery = z.infer<typeof HistoryQuery>;

const ChangeSource = LoggedVersion.omit({ op: true, values: true }).meta({ id: 'ChangeSource' });

const Explanation = z.object({
  change: ChangeSource.nullable().describe('Where it comes from; null: from before what the log tells'),
  beat: z
    .array(LoggedVersion.extend({ reason: z.string() }))
    .describe('The changes that it was decided against: neither had seen the other'),
  reason: z.string().describe('One plain sentence'),
  conflicts: z.array(z.string()).describe('Ids of open conflict records that tell of it'),
});

export const RowExplanation = z
  .object({
    table: z.string(),
    key: z.array(z.string()),
    exists: z.boolean().describe('It shows in its table'),
    parked: z
      .object({
        kind: z.enum(['unique_key', 'foreign_key']),
        constraint: z.string(),
        other: z.object({ table: z.string(), key: z.array(z.string()) }),
        reason: z.string(),
      })
      .nullable()
      .describe('Out of its table until the other row lets go of the key, or the parent is back'),
    existence: Explanation,
    columns: z.array(
      Explanation.extend({
        column: z.string(),
        group: z.array(z.string()).describe('The columns that are decided as one with it'),
        value: z.string().nullable().describe("PostgreSQL's text output; of a counter the full sum"),
        sums: z
          .object({
            increments: z.array(z.object({ origin: z.string(), sum: z.string(), changes: z.int() })),
            rest: z.string().describe('What it began with, or what is older than these'),
          })
          .nullable()
          .describe('Of a counter'),
      }),
    ),
    waiting: z.int().describe('Changes of it in the log that the table here cannot take yet'),
    conflicts: z
      .array(
        z.object({
          id: z.string(),
          kind: z.enum(CONFLICT_KINDS),
          region: z.string(),
          loser: ChangeName,
          overwritten: z.array(z.array(z.string())),
          reason: z.string(),
        }),
      )
      .describe('Open ones of the row, newest first, at most 100'),
  })
  .meta({ id: 'RowExplanation' });
export type RowExplanation = z.infer<typeof RowExplanation>;
