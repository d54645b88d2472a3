import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { Problem, type ProblemCode, PROBLEMS } from '@meridian/contract';
import { z } from 'zod';

/** What a route's document says; schemas are the contract's own, so the document cannot drift from what is checked. */
export interface RouteDocument {
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly params?: { readonly [name: string]: string };
  readonly query?: z.ZodObject;
  /** Query parameters that no schema checks, with what they mean. */
  readonly freeQuery?: { readonly [name: string]: string };
  readonly headers?: { readonly [name: string]: string };
  readonly body?: z.ZodType;
  readonly answers: { readonly [status: number]: Answered };
  readonly problems: readonly ProblemCode[];
}

interface Answered {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly type?: string;
  readonly headers?: { readonly [name: string]: string };
}

const TEXT = { type: 'string' } as const;

/** Schemas with an id are named components; the rest stand where they are used. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` };
  return withComponentRefs(z.toJSONSchema(schema, { io, target: 'draft-2020-12' }));
}

/** zod points at its own $defs; in the document the same names are components. */
export function withComponentRefs(schema: object): Record<string, unknown> {
  const {
    $defs: _,
    $schema: __,
    ...rest
  } = JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '#/components/schemas/') : value,
    ),
  ) as Record<string, unknown>;
  return rest;
}

export function Documented(route: RouteDocument): MethodDecorator {
  return applyDecorators(
    ApiOperation({ summary: route.summary, description: route.description ?? '', tags: [route.tag] }),
    ...Object.entries(route.params ?? {}).map(([name, description]) => ApiParam({ name, description, schema: TEXT })),
    ...queryOf(route).map((q) => ApiQuery(q)),
    ...Object.entries(route.headers ?? {}).map(([name, description]) =>
      ApiHeader({ name, description, required: false, schema: TEXT }),
    ),
    ...(route.body === undefined ? [] : [ApiBody({ schema: schemaOf(route.body, 'input'), required: true })]),
    ...Object.entries(route.answers).map(([status, answer]) => answered(Number(status), answer)),
    ...problemAnswers(route.problems),
  );
}

function queryOf(route: RouteDocument): { name: string; description: string; required: boolean; schema: object }[] {
  const { properties = {}, required = [] } =
    route.query === undefined ? {} : z.toJSONSchema(route.query, { io: 'input' });
  const checked = Object.entries(properties).map(([name, schema]) => ({
    name,
    description: (schema as { description?: string }).description ?? '',
    required: required.includes(name),
    schema: withComponentRefs(schema as object),
  }));
  const free = Object.entries(route.freeQuery ?? {}).map(([name, description]) => ({
    name,
    description,
    required: false,
    schema: TEXT,
  }));
  return [...checked, ...free];
}

function answered(
  status: number,
  { description, schema, type = 'application/json', headers = {} }: Answered,
): MethodDecorator {
  return ApiResponse({
    status,
    description,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, { description: text, schema: TEXT }]),
    ),
    ...(schema === undefined ? {} : { content: { [type]: { schema: schemaOf(schema, 'output') } } }),
  });
}

/** Codes of one status share its answer. */
function problemAnswers(codes: readonly ProblemCode[]): MethodDecorator[] {
  const all = [...new Set<ProblemCode>([...codes, 'internal_error'])];
  const statuses = [...new Set(all.map((code) => PROBLEMS[code].status))];
  return statuses.map((status) =>
    ApiResponse({
      status,
      description: all
        .filter((code) => PROBLEMS[code].status === status)
        .map((code) => `\`${code}\`: ${PROBLEMS[code].title}`)
        .join('; '),
      content: { 'application/problem+json': { schema: schemaOf(Problem, 'output') } },
    }),
  );
}
