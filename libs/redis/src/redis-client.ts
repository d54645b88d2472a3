import { Redis, type RedisOptions } from 'ioredis';

export interface RedisEvents {
  /** Told once per change of state, not per failed attempt. */
  readonly onAvailable?: (available: boolean, reason: string) => void;
}

/** After a command has failed or hung, Redis is left alone for this long: its users must not wait for it one by one. */
const REST_MS = 1_000;
const COMMAND_TIMEOUT_MS = 250;

/**
 * A connection that is a convenience: without it everything goes on. Commands fail at once while it is away (none is kept
 * for later), and it comes back by itself.
 */
export class RedisClient {
  readonly redis: Redis;
  private restUntil = 0;
  private available = false;

  constructor(
    url: string,
    private readonly events: RedisEvents = {},
    private readonly now: () => number = Date.now,
    options: RedisOptions = {},
  ) {
    this.redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: 2_000,
      keepAlive: 10_000,
      retryStrategy: (attempt) => Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2),
      ...options,
    });
    this.redis.on('ready', () => this.became(true, 'connected'));
    this.redis.on('error', (error: Error) => this.became(false, error.message));
    this.redis.on('close', () => this.became(false, 'the connection was closed'));
  }

  /** The command's answer, or null when Redis is away, hangs or fails. */
  async attempt<T>(command: (redis: Redis) => Promise<T>): Promise<T | null> {
    if (this.redis.status !== 'ready' || this.now() < this.restUntil) return null;
    try {
      const answer = await command(this.redis);
      this.became(true, 'answers');
      return answer;
    } catch (error) {
      this.restUntil = this.now() + REST_MS;
      this.became(false, (error as Error).message);
      return null;
    }
  }

  /** On purpose: that Redis is no longer there is then no news. */
  close(): void {
    this.available = false;
    this.redis.disconnect();
  }

  private became(available: boolean, reason: string): void {
    if (available === this.available) return;
    this.available = available;
    this.events.onAvailable?.(available, reason);
  }
}
