export { ensurePartitions, PARTITION_IDS } from './partitions.js';
export { PgTickStore, type PgTickStoreOptions } from './pg-tick-store.js';
export { TickContentError, TickForgottenError, TickOvertakenError } from './errors.js';
