export { PgShares, type ShareRef } from './pg-shares.js';
