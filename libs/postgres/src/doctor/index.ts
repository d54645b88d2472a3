export { Doctor, type DoctorOptions, type Examination } from './doctor.js';
export { blockerFinding } from './sessions.js';
export type { ExaminedTable, Finding, Severity } from './finding.js';
export type { TableCheck } from './table-check.js';
export type { TableFinding } from './table/table-finding.js';
export type { TableShape } from './table/table-shape.js';
export { type Regional, shapeDifferences } from './table/shape-differences.js';
