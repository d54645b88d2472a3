export { type Outcome, type RunOptions, simulate } from './simulation.js';
export { optionsOf, type SimulationOptions } from './options.js';
export { Prng } from './prng.js';
export { type Sabotage } from './service.js';
export { Violation } from './checkers/violation.js';
