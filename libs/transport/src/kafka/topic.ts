import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Admin, type Consumer, type KafkaConfig, type Producer } from 'kafkajs';
import type { RegionId } from '@meridian/core';

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly cluster: string;
  /** Topics are `<prefix>.<cluster>.<origin>`. */
  readonly topicPrefix?: string;
  readonly region: RegionId;
  /** How long the topic keeps ticks; who was away for longer gets them over direct. */
  readonly retentionMs?: number;
  /** Default: what the brokers say. */
  readonly replicationFactor?: number;
  readonly ssl?: KafkaConfig['ssl'];
  readonly sasl?: KafkaConfig['sasl'];
}

const WEEK_MS = 7 * 24 * 3_600_000;
const BROKER_DEFAULT = -1;
/** A part of a tick is at most 2.1 MB (text of 700,000 characters that neither UTF-8 nor zstd makes small). */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** One origin's topic, and how this service reaches it. One partition: the order of ticks is the order of offsets. */
export class OriginTopic {
  readonly name: string;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: KafkaOptions,
    origin: RegionId,
  ) {
    this.name = `${options.topicPrefix ?? 'meridian'}.${options.cluster}.${origin}`;
  }

  /** Both sides do it, for either may be first; and again after failures, for a topic may have been deleted. */
  async ensure(): Promise<void> {
    await this.withAdmin(async (admin) => {
      const { retentionMs = WEEK_MS, replicationFactor = BROKER_DEFAULT } = this.options;
      const configEntries = [
        { name: 'retention.ms', value: String(retentionMs) },
        { name: 'cleanup.policy', value: 'delete' },
        { name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) },
      ];
      const topic = { topic: this.name, numPartitions: 1, replicationFactor, configEntries };
      await admin.createTopics({ topics: [topic], waitForLeaders: true });
    });
  }

  /** First offset kept, and the one after the last. */
  offsets(): Promise<{ readonly low: bigint; readonly high: bigint }> {
    return this.withAdmin(async (admin) => {
      const partitions = await admin.fetchTopicOffsets(this.name);
      const first = partitions.find((p) => p.partition === 0);
      return { low: BigInt(first?.low ?? 0), high: BigInt(first?.high ?? 0) };
    });
  }

  /**
   * kafkajs reads in groups only, so each reading is a group of its own, without commits: where it goes on is kept in
   * PostgreSQL with the applied vector, and a zombie of an earlier start cannot take its partition.
   */
  consumer(): Consumer {
    return this.kafka.consumer({
      groupId: `${this.name}.${this.options.region}.${randomUUID()}`,
      allowAutoTopicCreation: false,
      // A fetch ends with the first byte; this bounds only how long an idle one takes to notice a disconnect.
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: 2 * MAX_MESSAGE_BYTES,
      metadataMaxAge: 30_000,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    });
  }

  producer(): Producer {
    return this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // Bounded: an endless retry would outlive the process that wants to end. The publisher starts over by itself.
      retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
    });
  }

  private async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin({ retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 } });
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await quietly(admin.disconnect());
    }
  }
}

export function kafkaClient(options: KafkaOptions): Kafka {
  return new Kafka({
    clientId: `meridian-${options.region}`,
    brokers: [...options.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    logLevel: logLevel.NOTHING,
    ...(options.ssl !== undefined && { ssl: options.ssl }),
    ...(options.sasl !== undefined && { sasl: options.sasl }),
  });
}

/** A disconnect that fails or hangs (its broker is gone) is over as well. */
export async function quietly(disconnect: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => (timer = setTimeout(resolve, 3_000)));
  await Promise.race([disconnect.catch(() => undefined), enough]);
  clearTimeout(timer);
}
