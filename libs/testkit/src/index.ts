export { templateDatabase, type TestDatabase } from './pg-template/template-database';
