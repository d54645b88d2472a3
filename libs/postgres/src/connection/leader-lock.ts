import { EventEmitter } from 'node:events';
import type { ClientConfig } from 'pg';
import { LEADER_LOCK } from './advisory-locks.js';
import { RELAY_SETTINGS, openSession } from './settings.js';
import type { Session } from './session.js';

/** A leader that cannot reach PostgreSQL for this long no longer is one: the server frees its lock after about 10 s. */
const PROBE_EVERY_MS = 2_000;
const PROBE_DEADLINE_MS = 5_000;

/**
 * Which service instance relays and applies: a session-level advisory lock on a connection of its own, which ends with its
 * holder. Emits `lost` when the connection ends while held. Losing it unnoticed for a moment does no harm: a tick's row has
 * (origin, seq) as its key, and apply advances by compare-and-set.
 */
export class LeaderLock extends EventEmitter<{ lost: [Error] }> {
  private session: Session | undefined;
  private probe: NodeJS.Timeout | undefined;
  private held = false;

  constructor(private readonly config: ClientConfig) {
    super();
  }

  get isHeld(): boolean {
    return this.held;
  }

  /** True when this instance leads now. Ask again after a while when not. */
  async tryAcquire(): Promise<boolean> {
    if (this.held) return true;
    const session = await this.connected();
    const { rows } = await session.query(`SELECT pg_try_advisory_lock(${LEADER_LOCK})`);
    if (rows[0]![0] !== 't' || !session.alive) return false;
    this.held = true;
    session.onLost((error) => this.lose(error));
    this.probe = setInterval(() => void this.ask(session), PROBE_EVERY_MS);
    this.probe.unref();
    return true;
  }

  async release(): Promise<void> {
    this.held = false;
    clearInterval(this.probe);
    await this.session?.close();
    this.session = undefined;
  }

  private async connected(): Promise<Session> {
    if (this.session?.alive !== true) this.session = await openSession(this.config, 'leader', RELAY_SETTINGS);
    return this.session;
  }

  /** A connection may be dead without a word. */
  private async ask(session: Session): Promise<void> {
    const deadline = setTimeout(() => {
      this.lose(new Error(`PostgreSQL has not answered for ${PROBE_DEADLINE_MS} ms`));
      void session.close().catch(() => undefined);
    }, PROBE_DEADLINE_MS);
    deadline.unref();
    await session.query('SELECT 1').catch((error: Error) => this.lose(error));
    clearTimeout(deadline);
  }

  private lose(error: Error): void {
    if (!this.held) return;
    this.held = false;
    clearInterval(this.probe);
    this.emit('lost', error);
  }
}
