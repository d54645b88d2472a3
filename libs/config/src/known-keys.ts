import { z } from 'zod';
import { RegionConfigSchema } from './schema.js';

export interface KnownKey {
  readonly path: readonly string[];
  readonly doc: string;
  readonly schema: z.ZodType;
}

/** Every leaf of the schema: what has a name in the file and in the environment. */
export const KNOWN_KEYS: readonly KnownKey[] = leaves(RegionConfigSchema, []);

function leaves(schema: z.ZodObject, path: readonly string[]): KnownKey[] {
  return Object.entries(schema.shape).flatMap(([name, value]) => {
    const type = value as z.ZodType;
    const inner = unwrapped(type);
    const at = [...path, name];
    return inner instanceof z.ZodObject ? leaves(inner, at) : [{ path: at, doc: type.description ?? '', schema: type }];
  });
}

function unwrapped(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodNullable)
    return unwrapped(type.unwrap() as z.ZodType);
  return type;
}

/** `http.bodyLimitBytes` is MERIDIAN_HTTP_BODY_LIMIT_BYTES. */
export const variableOf = (path: readonly string[]): string =>
  `MERIDIAN_${path
    .map((part) => part.replace(/([a-z])([A-Z])/g, '$1_$2'))
    .join('_')
    .toUpperCase()}`;
