import { z } from 'zod';

export const RegionStatus = z
  .object({
    region: z.string(),
    self: z.boolean().describe('The region that answers'),
    health: z.enum(['healthy', 'lagging', 'unreachable', 'halted']),
    detail: z.string().nullable().describe('Why it is not healthy, and what to do'),
    address: z.string().nullable(),
    seq: z.int().describe('Its last tick that is applied here; for the answering region, the last it cut'),
    applied: z
      .record(z.string(), z.int())
      .describe('Its applied vector; for the others, as their last tick applied here tells'),
    lag: z
      .object({
        changes: z.int().nullable().describe('Changes of it that are known of and not yet applied here'),
        ms: z.number().nullable().describe('Age of what is applied here, by its heartbeat'),
      })
      .nullable()
      .describe('How far the answering region is behind it; null for itself'),
    clockOffsetMs: z.number().nullable().describe("Its clock against the answering region's; positive: ahead"),
    lastSeenAt: z.string().nullable(),
  })
  .meta({ id: 'RegionStatus' });
export type RegionStatus = z.infer<typeof RegionStatus>;

export const Cluster = z
  .object({
    cluster: z.string(),
    region: z.string().describe('The region that answers'),
    version: z.string(),
    items: z.array(RegionStatus),
    next: z.null(),
  })
  .meta({ id: 'Cluster' });
export type Cluster = z.infer<typeof Cluster>;

export const Visibility = z
  .object({
    token: z.record(z.string(), z.int()).describe('What the token stands for: per origin the number of a tick'),
    everywhere: z.boolean(),
    items: z.array(
      z.object({
        region: z.string(),
        visible: z.boolean(),
        missing: z
          .array(z.object({ origin: z.string(), need: z.int(), have: z.int() }))
          .describe('As far as known in the asked region; other regions may be further'),
        knownAt: z.string().nullable().describe('When the asked region last heard of it'),
      }),
    ),
    next: z.null(),
  })
  .meta({ id: 'Visibility' });
export type Visibility = z.infer<typeof Visibility>;

export const VisibilityQuery = z.strictObject({ token: z.string().min(1).max(8192) });

export const Health = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    region: z.string(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;
