export { PgConflictReader } from './pg-conflict-reader.js';
export { PgConflictDesk } from './pg-conflict-desk.js';
export { ConflictRetention } from './conflict-retention.js';
export { PgMergeCounts } from './pg-merge-counts.js';
export { OverruledDecisions } from './overruled-decisions.js';
