export * from './advisory-locks.js';
export * from './errors.js';
export * from './leader-lock.js';
export { PinnedConnection } from './pinned-connection.js';
export { Session, type Row, type Rows, type Text } from './session.js';
export { APPLY_LOCK_TIMEOUT_MS, type ApplySession, openApplySession, openSession, RELAY_SETTINGS } from './settings.js';
