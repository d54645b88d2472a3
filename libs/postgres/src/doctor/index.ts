export { Doctor, type DoctorOptions, type Examination } from './doctor.js';
export { blockerFinding } from './sessions.js';
export type { ExaminedTable, Finding, Severity } from './finding.js';
