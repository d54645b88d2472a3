import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers';
import { freePorts } from './free-ports.js';

const run = promisify(execFile);

/**
 * One Kafka broker whose port outlives a kill and a restart: a mapped port would change, and the broker tells its clients
 * where it is (KafkaContainer cannot do that).
 */
export class KafkaBroker {
  private constructor(
    private readonly container: StartedTestContainer,
    readonly address: string,
  ) {}

  static async start(): Promise<KafkaBroker> {
    const [port] = await freePorts(1);
    const container = await new GenericContainer(
      process.env['MERIDIAN_TEST_KAFKA_IMAGE'] ?? 'confluentinc/cp-kafka:8.0.0',
    )
      .withExposedPorts({ container: 9092, host: port! })
      .withEnvironment({
        CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw',
        KAFKA_NODE_ID: '1',
        KAFKA_PROCESS_ROLES: 'broker,controller',
        KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9094',
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
        KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
        KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
        // A broker killed with -9 is let back in once its session has expired: 9 s by default.
        KAFKA_BROKER_SESSION_TIMEOUT_MS: '2000',
        KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '500',
      })
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .withStartupTimeout(120_000)
      .start();
    return new KafkaBroker(container, `127.0.0.1:${port}`);
  }

  client(): Kafka {
    return new Kafka({ clientId: 'test', brokers: [this.address], logLevel: logLevel.NOTHING, retry: { retries: 30 } });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await run('docker', ['kill', this.container.getId()]);
  }

  /** After a kill; the data is there. Clients find out by themselves when it serves. */
  async restart(): Promise<void> {
    await run('docker', ['start', this.container.getId()]);
  }

  /** It takes connections and answers nothing. */
  async pause(): Promise<void> {
    await run('docker', ['pause', this.container.getId()]);
  }

  async unpause(): Promise<void> {
    await run('docker', ['unpause', this.container.getId()]);
  }

  async stop(): Promise<void> {
    await this.container.stop({ timeout: 0 });
  }
}
