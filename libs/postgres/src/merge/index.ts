export { SqlMergeSession } from './sql-merge-session.js';
