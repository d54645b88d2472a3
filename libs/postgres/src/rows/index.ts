export { createRowsPool, type RowsPoolOptions } from './rows-pool.js';
export { refusalOf } from './refusal-of-sqlstate.js';
export { PgRowStore } from './pg-row-store.js';
export { PgPositionStore } from './pg-position-store.js';
export { PgChangeFeed } from './pg-change-feed.js';
export { PgRowLog } from './pg-row-log.js';
export { readCatalogTable } from './read-catalog-table.js';
export { PgPolicyTrial } from './pg-policy-trial.js';
