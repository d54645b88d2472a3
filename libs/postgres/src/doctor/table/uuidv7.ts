import { qualified } from '../../catalog/quoting.js';

/** From this version on PostgreSQL makes them itself. */
const BUILT_IN = 180_000;

/** How a default makes a UUID of version 7, and what has to be there for it. */
export function uuidv7(schema: string, version: number): { readonly call: string; readonly sql: readonly string[] } {
  if (version >= BUILT_IN) return { call: 'uuidv7()', sql: [] };
  const name = qualified(schema, 'uuidv7');
  return { call: `${name}()`, sql: [definition(name)] };
}

/** 48 bits of milliseconds over the first 6 bytes of a random UUID; the version, in the seventh, from 4 (0100) to 7 (0111). */
const definition = (name: string): string => `CREATE OR REPLACE FUNCTION ${name}() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = '' AS $uuidv7$
  SELECT encode(set_byte(timed, 6, get_byte(timed, 6) | 48), 'hex')::uuid
    FROM (SELECT overlay(uuid_send(gen_random_uuid())
                         PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                         FROM 1 FOR 6) AS timed) AS t
$uuidv7$`;
