export { SqlMergeFunctions } from './sql-merge.js';
