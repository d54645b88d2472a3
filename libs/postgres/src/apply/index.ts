export { TableDiffersError } from './apply-table.js';
export type { Blocker } from './blockers.js';
export { PgApplyStore, type PgApplyStoreOptions } from './pg-apply-store.js';
