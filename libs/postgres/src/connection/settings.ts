import type { ClientConfig } from 'pg';
import { ReadOnlyDatabaseError, SessionNotKeptError } from './errors.js';
import { Session } from './session.js';

/** Values pass between regions as text: two regions must read and write one text alike, whatever their role's defaults are. */
const ONE_TEXT = `
  SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 1;
  SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET xmloption = 'content'; SET client_encoding = 'UTF8';
  SET standard_conforming_strings = on;`;

/**
 * Scans of whole tables are never the right plan for a few thousand keys; a log partition just filled has no statistics yet.
 * A generic plan is as good for our parameters as any, and planning anew over the log's partitions costs more than most runs.
 * row_security off: a policy that would hide rows from us is an error, not a silent divergence.
 */
const OURS = `
  SET synchronous_commit = on; SET jit = off; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;
  SET statement_timeout = 0;
  SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed'; SET row_security = off;`;

/** A dead service's sessions, and the locks they hold, are noticed by the server within some 10 s even when the network says nothing. */
const KEEPALIVES = `
  SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;`;

export const RELAY_SETTINGS = ONE_TEXT + OURS + KEEPALIVES;

/** Below deadlock_timeout (1 s): apply gives way and starts over, never its user's transaction. */
export const APPLY_LOCK_TIMEOUT_MS = 500;
const APPLY_SETTINGS = `${RELAY_SETTINGS} SET lock_timeout = ${APPLY_LOCK_TIMEOUT_MS};`;

/** Opens a session that is ready for its work, or says by a named error why it cannot be. */
export async function openSession(config: ClientConfig, role: string, settings: string): Promise<Session> {
  const session = await Session.open(config, role);
  try {
    await refuseReadOnly(session);
    await session.script(settings);
    await refusePooler(session);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** `replicaRole`: users' triggers do not fire a second time; false where the grant is not to be had. */
export type ApplySession = Session & { readonly replicaRole: boolean };

export async function openApplySession(config: ClientConfig): Promise<ApplySession> {
  const session = await openSession(config, 'apply', APPLY_SETTINGS);
  try {
    await session.query('SET session_replication_role = replica');
    return Object.assign(session, { replicaRole: true });
  } catch (error) {
    if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE)
      return Object.assign(session, { replicaRole: false });
    await session.close();
    throw error;
  }
}

const INSUFFICIENT_PRIVILEGE = '42501';

async function refuseReadOnly(session: Session): Promise<void> {
  const { rows } = await session.query(`SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')`);
  if (rows[0]![0] === 't') throw new ReadOnlyDatabaseError('standby');
  if (rows[0]![1] === 'on') throw new ReadOnlyDatabaseError('default_transaction_read_only');
}

async function refusePooler(session: Session): Promise<void> {
  const { rows } = await session.query(`SELECT pg_backend_pid(), current_setting('enable_seqscan')`);
  if (Number(rows[0]![0]) !== session.pid || rows[0]![1] !== 'off') throw new SessionNotKeptError();
}
