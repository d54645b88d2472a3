import { z } from 'zod';

const ColumnName = z.string().min(1).max(63);

const ByColumn = z.strictObject({
  policy: z.literal('lww'),
  column: ColumnName.describe('A timestamp column: the latest value of it wins').optional(),
});
const ByRegion = z.strictObject({
  policy: z.literal('region-priority'),
  regions: z
    .array(z.string().min(1).max(31))
    .min(1)
    .describe('The first of them wins; the others rank behind, by stamp'),
});
const ByFunction = z
  .strictObject({
    policy: z.string().regex(/^merge:\w{1,63}$/),
    language: z.enum(['javascript', 'sql']).default('javascript'),
    source: z
      .string()
      .min(1)
      .max(100_000)
      .describe(
        'JavaScript: a module whose default export is the function; SQL: the name of a function in every region',
      ),
    digest: z
      .string()
      .optional()
      .describe(
        'Of a function in SQL, what it does: set when the policy is taken, and the same in every region. Change the function everywhere, then write the policy again',
      ),
    fallback: z
      .union([z.enum(['hlc', 'first-write', 'manual']), ByRegion])
      .default('hlc')
      .describe('Decides where the function throws, takes too long, or gives no value of the column'),
  })
  .meta({ id: 'MergeFunction', description: 'A function of yours makes one value of the concurrent versions' });
const Bounded = z
  .strictObject({
    policy: z.literal('bounded-counter'),
    min: z.number().default(0).describe('What it never goes below; not negative'),
    max: z.number().optional().describe('Not available: the enrolment is refused'),
  })
  .meta({ id: 'BoundedCounter', description: 'A counter of which each region takes no more than its share' });
const Flag = z.strictObject({ policy: z.literal('flag'), wins: z.enum(['enable', 'disable']).default('enable') });

const ByPath = z
  .strictObject({
    policy: z.literal('map'),
    paths: z
      .record(
        z.string().max(1000),
        // What else is written there is refused with its path.
        z.unknown().describe('hlc, first-write, region-priority, max, min, flag, manual, set or counter'),
      )
      .describe(
        'By JSON pointers, {"/stock": "counter", "/profile/name": "first-write"}; a path stands for all below it',
      )
      .optional(),
  })
  .meta({ id: 'MapPolicy', description: 'Each leaf of a document by the policy of the nearest path, or by stamp' });

/** One version is taken whole. */
const WHOLE = ['hlc', 'lww', 'first-write', 'manual', 'register'] as const;
/** By one column's values. */
const BY_VALUE = ['max', 'min', 'counter', 'bounded-counter', 'set', 'grow-set', 'flag', 'map', 'text'] as const;
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
const WITH_PARTS =
  '{"policy": "lww", "column": "a timestamp column"} or {"policy": "region-priority", "regions": ["us", "eu"]}';

export const ColumnPolicy = z
  .union(
    [
      z.enum([...WHOLE, ...BY_VALUE]),
      ByColumn,
      ByRegion,
      Flag,
      ByPath,
      Bounded,
      ByFunction,
      z.strictObject({
        policy: z.enum([
          'hlc',
          'first-write',
          'manual',
          'register',
          'max',
          'min',
          'counter',
          'set',
          'grow-set',
          'text',
        ]),
      }),
    ],
    {
      error: `takes ${quoted([...WHOLE, ...BY_VALUE])}, {"policy": "flag", "wins": "disable"}, {"policy": "bounded-counter", "min": 0}, {"policy": "map", "paths": {"/stock": "counter"}}, {"policy": "merge:a_name", "source": "a JavaScript function"}, ${WITH_PARTS}`,
    },
  )
  .meta({ id: 'ColumnPolicy', description: 'How concurrent values of one column become one value' });

export type ColumnPolicy = z.infer<typeof ColumnPolicy>;

const UniqueKeyPolicy = z
  .union(
    [
      z.enum(['park', 'null', 'delete']),
      z.strictObject({
        policy: z.literal('rename'),
        template: z
          .string()
          .min(1)
          .max(200)
          .describe('With {value}, {region} and {key}; it has to name {region} or {key}'),
        column: ColumnName.optional().describe("Which of the key's columns; the only text column when left out"),
      }),
      z.strictObject({ policy: z.literal('null'), column: ColumnName.optional() }),
      z.strictObject({ policy: z.enum(['park', 'delete']) }),
    ],
    { error: 'takes "park", "null", "delete" or {"policy": "rename", "template": "{value} ({region})"}' },
  )
  .meta({
    id: 'UniqueKeyPolicy',
    description: 'What becomes of a row that lost a unique value to one with the earlier claim',
  });
const ForeignKeyPolicy = z
  .enum(['restore', 'park', 'null', 'cascade'])
  .meta({ id: 'ForeignKeyPolicy', description: 'What becomes of a row whose parent was deleted beside it' });

/** What `PUT /v1/tables/{table}` takes, and `tables:` in meridian.yaml. All parts are optional. */
export const TablePolicy = z
  .strictObject({
    granularity: z
      .enum(['column', 'group', 'row'])
      .default('column')
      .describe('What is decided as one: each column (and each group), or the whole row'),
    policy: z
      .union(
        [
          z.enum(WHOLE),
          ByColumn,
          ByRegion,
          z.strictObject({ policy: z.enum(['hlc', 'first-write', 'manual', 'register']) }),
        ],
        {
          error: `takes ${quoted(WHOLE)}, ${WITH_PARTS}`,
        },
      )
      .default('hlc')
      .describe('For every column that names none of its own'),
    groups: z
      .array(z.array(ColumnName).min(2))
      .default([])
      .describe('Columns that are always taken together from one version'),
    delete: z
      .enum(['update-wins', 'delete-wins', 'by-stamp'])
      .default('update-wins')
      .describe('A delete beside a concurrent update'),
    columns: z.record(ColumnName, ColumnPolicy).default({}),
    secret: z.array(ColumnName).optional().describe('Columns whose values leave the cluster in no export'),
    unique: z
      .union([UniqueKeyPolicy, z.record(ColumnName, UniqueKeyPolicy)])
      .optional()
      .describe('By the name of the unique key, or one for all; "park" when left out'),
    foreignKeys: z
      .union([ForeignKeyPolicy, z.record(ColumnName, ForeignKeyPolicy)])
      .optional()
      .describe('By the name of the foreign key, or one for all; "restore" when left out'),
    initial: z
      .union(
        [
          z.literal('equal'),
          z.strictObject({ copyFrom: z.string().describe('The region whose rows the others take') }),
        ],
        { error: 'takes "equal", or {"copyFrom": "a region"}' },
      )
      .default('equal')
      .describe(
        'Rows that the regions hold already: equal ones are the common base; or one region brings the others to its own',
      ),
  })
  .meta({ id: 'TablePolicy' });
export type TablePolicy = z.infer<typeof TablePolicy>;
export type TablePolicyInput = z.input<typeof TablePolicy>;

export const EnrolledTable = z
  .object({
    table: z.string().describe('As PostgreSQL writes it: public.items, "My Schema"."Orders"'),
    state: z.string().describe('active, or waiting for what `reason` says'),
    reason: z.string().nullable(),
    epoch: z.int().describe('Counts the changes of its policy'),
    policy: TablePolicy,
    enrolledAt: z.iso.datetime({ offset: true }),
  })
  .meta({ id: 'EnrolledTable' });
export type EnrolledTable = z.infer<typeof EnrolledTable>;

const KeySequence = z
  .object({
    region: z.string(),
    column: z.string(),
    sequence: z.string(),
    next: z.string().describe('The next number that it gives; decimal text, for it may exceed what JSON numbers hold'),
    increment: z.string().describe('It goes on by this'),
    set: z.boolean().describe('By this call; false: it was as it should be, or counts as its user made it'),
  })
  .meta({
    id: 'KeySequence',
    description: 'What numbers the keys of new rows in one region: no two regions share one',
  });

/** What `PUT /v1/tables/{table}` answers. */
export const EnrolmentAnswer = EnrolledTable.extend({
  keySequences: z
    .array(KeySequence)
    .describe('Of identity, serial and nextval columns that are unique, in every region'),
}).meta({ id: 'EnrolmentAnswer' });
export type EnrolmentAnswer = z.infer<typeof EnrolmentAnswer>;

export const TableRevision = z
  .object({
    epoch: z.int(),
    policy: TablePolicy,
    beganAt: z.iso.datetime({ offset: true }).describe('In the region that answers'),
  })
  .meta({ id: 'TableRevision', description: 'A policy that the table has or had since it was enrolled' });
export type TableRevision = z.infer<typeof TableRevision>;

export const TableRevisions = z
  .object({ items: z.array(TableRevision).describe('Newest first; the first is in force'), next: z.null() })
  .meta({ id: 'TableRevisions' });
export type TableRevisions = z.infer<typeof TableRevisions>;

export const RevertTo = z.strictObject({
  epoch: z.int().min(1).describe('Of the revision whose policy is to be in force again'),
});
export type RevertTo = z.infer<typeof RevertTo>;

export const TableMerges = z
  .object({
    items: z.array(
      z.object({
        columns: z.array(z.string()),
        policy: z.string(),
        merges: z.int(),
        since: z.string().describe('Counted from then on'),
      }),
    ),
    next: z.null(),
  })
  .meta({ id: 'TableMerges' });
export type TableMerges = z.infer<typeof TableMerges>;

export const EnrolledTables = z
  .object({ items: z.array(EnrolledTable), next: z.string().nullable() })
  .meta({ id: 'EnrolledTables' });
export type EnrolledTables = z.infer<typeof EnrolledTables>;
