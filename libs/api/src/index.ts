export { ApiModule, prepareApi } from './api.module.js';
export { createHttpAdapter } from './http/http-adapter.js';
export { limitRequests } from './http/rate-limit.js';
export type { ApiOptions } from './options.js';
export type {
  ApiPorts,
  ClusterStatus,
  Doctor,
  EnrolmentOutcome,
  Readiness,
  RefusedReason,
  TableEnrolment,
  UnenrolmentOutcome,
  WebhookDesk,
} from './ports.js';
export { redacted } from './conflicts/redaction.js';
