export * from './problem.js';
export * from './rows.js';
export * from './tables.js';
export * from './conflicts.js';
export * from './cluster.js';
export * from './diagnosis.js';
export * from './changes.js';
export * from './headers.js';
