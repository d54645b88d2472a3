import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import * as contract from '@meridian/contract';
import { z } from 'zod';
import { withComponentRefs } from './http/documented.js';
import type { ApiOptions } from './options.js';

/** Made once, at start: controllers say what there is, the contract's schemas say what it looks like. */
export function openApiDocument(app: INestApplication, options: ApiOptions): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Meridian')
    .setDescription(
      'One region of a multi-leader PostgreSQL database: rows, tables, conflicts, the change feed and the cluster. Errors are problem documents (RFC 9457); look at their `code`.',
    )
    .setVersion(options.version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  return {
    ...document,
    ...{ webhooks: WEBHOOKS },
    components: { ...document.components, schemas: { ...document.components?.schemas, ...namedSchemas() } as never },
  };
}

/** What the region sends by itself, to those whom its configuration names. */
const WEBHOOKS = {
  conflict: {
    post: {
      summary: 'What becomes of a conflict',
      description:
        'Standard Webhooks: the headers webhook-id (the same in every attempt), webhook-timestamp and webhook-signature. Sent until the answer is 2xx, or given up; 410 ends it.',
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/ConflictMessage' } } },
      },
      responses: { '2XX': { description: 'It is taken' }, '410': { description: 'Nothing more is wanted' } },
    },
  },
};

/** Every schema of the contract that has an id. */
function namedSchemas(): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const schema of Object.values<unknown>(contract)) {
    const id = schema instanceof z.ZodType ? z.globalRegistry.get(schema)?.id : undefined;
    if (id === undefined) continue;
    const json = z.toJSONSchema(schema as z.ZodType, {
      io: INPUTS.has(id) ? 'input' : 'output',
      target: 'draft-2020-12',
    });
    for (const [name, definition] of Object.entries(json.$defs ?? {})) all[name] ??= withComponentRefs(definition);
    // A schema with an id may come as a reference to itself among its own definitions.
    if (json.$ref === undefined) all[id] = withComponentRefs(json);
  }
  return all;
}

/** What callers send: parts with a default may be left out. */
const INPUTS = new Set([
  'TablePolicy',
  'ColumnPolicy',
  'PolicyPreviewRequest',
  'BulkResolution',
  'TxRequest',
  'TxOperation',
  'Row',
  'Rows',
]);
