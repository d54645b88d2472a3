export { MemoryApplyStore, MemoryTickStore } from './tick-store.js';
export { changePolicy, endEnrolment, enrolAnew } from './enrolment.js';
export { LocalTransaction, type Statement } from './local-transaction.js';
export { counted, type CounterRanges, fullValues } from './counter-range.js';
export { type Commit, keyOf, MemoryDatabase } from './database.js';
export { SHARE_SPEC, SHARE_TABLE, sharesOf, sumOf } from './shares.js';
export { CONFLICT_SPEC, CONFLICT_TABLE, parseRecord } from './conflict-rows.js';
