import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ApiProblem } from './api-problem.js';

/** Checks what a route declares a schema for; the same schemas are in /openapi.json. */
export const documentPipe = (): StandardSchemaValidationPipe =>
  new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => {
      const reasons = issues.slice(0, 20).map((issue) => ({
        path: (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
        detail: issue.message,
      }));
      const detail = reasons.map((r) => (r.path === '' ? r.detail : `${r.path}: ${r.detail}`)).join('; ');
      return new ApiProblem('invalid_document', detail, { issues: reasons });
    },
  });
