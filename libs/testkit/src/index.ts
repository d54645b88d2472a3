export { templateDatabase, type TestDatabase } from './pg-template/template-database';
export * from './simulation/index.js';
