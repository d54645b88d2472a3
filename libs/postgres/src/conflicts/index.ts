export { PgConflictReader } from './pg-conflict-reader.js';
export { PgConflictDesk } from './pg-conflict-desk.js';
export { OverruledDecisions } from './overruled-decisions.js';
