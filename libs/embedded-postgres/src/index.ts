export { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres';
export { createAppDatabase } from './app-database';
export { freePort } from './free-port';
