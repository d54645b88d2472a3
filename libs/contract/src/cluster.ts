import { z } from 'zod';

export const Lag = z
  .object({
    origin: z.string(),
    appliedSeq: z.int().describe('The last tick of this origin applied here'),
    latestSeq: z.int().nullable().describe('The last tick of this origin that is known of; null when the origin has not been heard'),
    changes: z.int().nullable().describe('Changes that are known of and not applied'),
    milliseconds: z.number().nullable().describe("Age of what is applied here, by the origin's heartbeat"),
  })
  .meta({ id: 'Lag' });

export const RegionStatus = z
  .object({
    name: z.string(),
    self: z.boolean(),
    health: z.enum(['healthy', 'lagging', 'unreachable', 'halted']),
    detail: z.string().nullable().describe('Why it is not healthy, and what to do'),
    address: z.string().nullable(),
    applied: z.record(z.string(), z.int()).describe('Its applied vector, as far as known here'),
    lag: z.array(Lag).describe('Per origin; for regions other than the asked one as their last tick told'),
    clockOffsetMs: z.number().nullable().describe("Its clock against the asked region's; positive: ahead"),
    lastSeenAt: z.string().nullable(),
  })
  .meta({ id: 'RegionStatus' });
export type RegionStatus = z.infer<typeof RegionStatus>;

export const Cluster = z
  .object({
    cluster: z.string(),
    region: z.string().describe('The region that answers'),
    version: z.string(),
    applied: z.record(z.string(), z.int()),
    regions: z.array(RegionStatus),
  })
  .meta({ id: 'Cluster' });
export type Cluster = z.infer<typeof Cluster>;

export const Visibility = z
  .object({
    token: z.record(z.string(), z.int()).describe('What the token stands for: per origin the number of a tick'),
    everywhere: z.boolean(),
    regions: z.array(
      z.object({
        name: z.string(),
        visible: z.boolean(),
        missing: z
          .array(z.object({ origin: z.string(), need: z.int(), have: z.int() }))
          .describe('As far as known in the asked region; other regions may be further'),
        knownAt: z.string().nullable().describe('When the asked region last heard of it'),
      }),
    ),
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
