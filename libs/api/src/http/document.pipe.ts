import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import type { z } from 'zod';
import { ApiProblem } from './api-problem.js';
import { hideKeys, shownKey, showKeys } from './every-key.js';

/** Checks what a route declares a schema for; the same schemas are in /openapi.json. */
export class DocumentPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => invalidDocument(issues) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const hidden = hideKeys(value) as T;
    const checked = await super.transform(hidden, metadata);
    return hidden === value ? checked : (showKeys(checked) as T);
  }
}

/** The same for a body that the route takes as text. */
export function checked<Schema extends z.ZodType>(schema: Schema, document: unknown): z.output<Schema> {
  const parsed = schema.safeParse(document);
  if (!parsed.success) throw invalidDocument(parsed.error.issues);
  return parsed.data;
}

interface Issue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly message: string;
}

function invalidDocument(issues: readonly Issue[]): ApiProblem {
  const reasons = issues.slice(0, 20).map((issue) => ({
    path: (issue.path ?? []).map((part) => shownKey(String(typeof part === 'object' ? part.key : part))).join('.'),
    detail: issue.message,
  }));
  const detail = reasons.map((r) => (r.path === '' ? r.detail : `${r.path}: ${r.detail}`)).join('; ');
  return new ApiProblem('invalid_document', detail, { issues: reasons });
}
