import { TablePolicy } from '@meridian/contract';
import { CONFLICT_EVENTS, parseTableName, REGION_NAME } from '@meridian/core';
import { z } from 'zod';

const millis = (standard: number, doc: string) =>
  z.coerce.number().int().min(1).max(86_400_000).default(standard).describe(doc);
const whole = (standard: number, min: number, max: number, doc: string) =>
  z.coerce.number().int().min(min).max(max).default(standard).describe(doc);

const RegionName = z
  .string()
  .regex(REGION_NAME, 'a region name is lower-case letters, digits and "-", at most 31, a letter first');
const HttpUrl = z.url({ protocol: /^https?$/, error: 'an http:// or https:// address is expected' });

const http = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
    port: z.coerce.number().int().min(0).max(65_535).default(7001).describe('0: any free port'),
    bodyLimitBytes: whole(1_048_576, 1_024, 1_073_741_824, 'Larger request bodies are refused with 413'),
    requestTimeoutMs: millis(30_000, 'A client has this long to send its request'),
    sessionWaitMs: millis(5_000, 'A read waits this long for its session token, or for the staleness it asks for'),
    requestsPerSecond: whole(
      0,
      0,
      1_000_000,
      'Requests a second from one client address, with bursts of twice as many; more are answered 429. 0: no limit',
    ),
    maxRows: whole(10_000, 1, 1_000_000, 'Rows of one answer, at most; more need limit and offset'),
  })
  .prefault({})
  .describe('REST, and what peers call');

const postgres = z
  .strictObject({
    url: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'an address like postgres://user:password@host:5432/database is expected')
      .describe(
        'An existing database, as the role that owns the tables; Meridian makes its own schema and roles in it',
      ),
    poolSize: whole(16, 2, 500, "Connections for REST; replication has its own, so that users' load cannot starve it"),
    statementTimeoutMs: millis(10_000, "A REST request's statement is ended after this"),
    lockTimeoutMs: millis(5_000, 'A REST write waits this long for a row that another transaction holds'),
  })
  .describe("The region's database");

const replication = z
  .strictObject({
    tickIntervalMs: millis(2, 'Shortest time between two ticks under load'),
    pollIntervalMs: millis(20, 'Longest time between two looks for writes of SQL clients, which wake nobody'),
    heartbeatMs: millis(1_000, 'An empty tick when idle this long: it tells peers how far behind they are'),
    historyHours: z.coerce
      .number()
      .min(0)
      .max(87_600)
      .default(24)
      .describe('Changes are kept at least this long, for the feed and for history'),
    retentionIntervalMs: millis(60_000, 'How often log partitions are made ahead and dropped'),
    batchTicks: whole(500, 1, 100_000, 'Ticks applied in one transaction, at most, when behind'),
    batchChanges: whole(
      10_000,
      1,
      1_000_000,
      'Changes applied in one transaction, at most, when behind (but always one tick)',
    ),
    inboxChanges: whole(50_000, 100, 10_000_000, 'Changes that have arrived and are not applied, at most'),
    maxClockSkewMs: millis(5_000, 'A region whose clock is further ahead is flagged; its data is applied all the same'),
  })
  .prefault({})
  .describe('The way of a write to the other regions');

const transport = z
  .union(
    [
      z.literal('direct'),
      z.strictObject({
        kafka: z.strictObject({
          brokers: z.array(z.string().regex(/^[^\s:]+:\d+$/, 'a broker is host:port')).min(1),
          topicPrefix: z
            .string()
            .regex(/^[A-Za-z0-9._-]{1,100}$/)
            .default('meridian')
            .describe('Topics are <prefix>.<cluster>.<region>'),
        }),
      }),
    ],
    { error: 'takes direct, or { kafka: { brokers: ["host:port"] } }' },
  )
  .default('direct')
  .describe('direct: peers pull over HTTP. kafka: one topic per origin, gaps filled over direct');

const conflicts = z
  .strictObject({
    keepDays: whole(
      90,
      1,
      36_500,
      'A conflict record that has been withdrawn or decided for so long goes away, in all regions; open ones stay',
    ),
  })
  .prefault({})
  .describe('Conflict records');

/** Of 24 to 64 bytes, as Standard Webhooks wants it. */
const WebhookSecret = z.string().refine((text) => {
  const bytes = /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text.slice(6), 'base64').length : 0;
  return bytes >= 24 && bytes <= 64;
}, '`echo whsec_$(openssl rand -base64 32)` makes a secret; the receiver is given the same');

const EnrolledName = z.string().transform((text, context) => {
  try {
    return parseTableName(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const Webhook = z.strictObject({
  url: HttpUrl.refine((text) => {
    const { username, password } = new URL(text);
    return username === '' && password === '';
  }, 'a name or password in an address is not sent: leave it out; the signature says who calls'),
  secret: z
    .union([WebhookSecret, z.array(WebhookSecret).min(1).max(4)], { error: 'takes a secret, or a list of them' })
    .transform((secret) => [secret].flat()),
  events: z
    .array(z.enum(CONFLICT_EVENTS))
    .min(1)
    .default(['conflict.opened', 'conflict.withdrawn', 'conflict.resolved', 'conflict.reopened']),
  tables: z.array(EnrolledName).min(1).nullable().default(null),
  giveUpHours: z.coerce.number().min(0.001).max(8_760).default(72),
});

const webhooks = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'a name is lower-case letters, digits and "-"'), Webhook)
  .default({})
  .describe(
    'Who is told of conflicts, by name: { url, secret (whsec_…, or several: newest first), events, tables, giveUpHours (72) }',
  );

/** One region's configuration (interfaces.md). Every key has a unit in its name where it has a unit. */
export const RegionConfigSchema = z.strictObject({
  cluster: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'a cluster name is lower-case letters, digits and "-"')
    .describe('The same in every region'),
  secret: z
    .string()
    .min(16, 'at least 16 characters; `openssl rand -hex 32` makes a good one')
    .describe('What peers prove to each other; the same in every region'),
  region: RegionName.describe("This region's name"),
  http,
  postgres,
  peers: z.record(RegionName, HttpUrl).default({}).describe("The other regions' addresses"),
  transport,
  redis: z
    .string()
    .regex(/^rediss?:\/\//, 'an address like redis://127.0.0.1:6379 is expected')
    .nullable()
    .default(null)
    .describe('Optional: fan-out of change feeds between instances, and the rate limiter'),
  replication,
  tables: z
    .record(
      z.string(),
      TablePolicy.nullable().transform((policy) => policy ?? TablePolicy.parse({})),
    )
    .default({})
    .describe('Tables to enrol at start, with their policies'),
  conflicts,
  webhooks,
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({})
    .describe('The service log, JSON lines on standard output'),
});

type Deep<T> = T extends (infer E)[]
  ? readonly Deep<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Deep<T[K]> }
    : T;
export type RegionConfig = Deep<z.output<typeof RegionConfigSchema>>;
