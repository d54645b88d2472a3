export { templateDatabase, type TestDatabase } from './pg-template/template-database';
export * from './simulation/index.js';
export { restRegion, serveRest, type RestRegion, type RestRegionOptions } from './rest/rest-region.js';
export { httpCall, type HttpAnswer } from './rest/http-call.js';
export { runScenario } from './scenario/scenario.js';
