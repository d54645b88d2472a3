export { createRowsPool, type RowsPoolOptions } from './rows-pool.js';
export { PgRowStore } from './pg-row-store.js';
export { PgPositionStore } from './pg-position-store.js';
export { PgChangeFeed } from './pg-change-feed.js';
