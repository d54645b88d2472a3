import { ConfigError } from './config-error.js';
import { KNOWN_KEYS, variableOf } from './known-keys.js';
import { nearest } from './nearest.js';

export type Environment = { readonly [name: string]: string | undefined };
type Tree = { [key: string]: unknown };

/** `${VAR}` in the file's values; `$${` is a literal `${`. */
export function interpolated(value: unknown, environment: Environment, path: string, faults: string[]): unknown {
  if (typeof value === 'string')
    return value.replace(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name?: string) => {
      if (name === undefined) return '${';
      const found = environment[name];
      if (found === undefined || found === '') faults.push(`${path}: the environment variable ${name} is not set`);
      return found ?? whole;
    });
  if (Array.isArray(value)) return value.map((item, i) => interpolated(item, environment, `${path}[${i}]`, faults));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      interpolated(item, environment, path === '' ? key : `${path}.${key}`, faults),
    ]),
  );
}

/** Lays the environment's values over the file's. Maps and lists are JSON: MERIDIAN_PEERS={"eu":"http://…"}. */
export function withEnvironment(tree: Tree, environment: Environment): Tree {
  const result = structuredClone(tree);
  for (const { path } of KNOWN_KEYS) {
    const name = variableOf(path);
    const text = environment[name];
    if (text !== undefined && text !== '') put(result, path, valueOf(name, text));
  }
  return result;
}

function valueOf(name: string, text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ConfigError(name, [`it begins like JSON, but is none: ${(cause as Error).message}`]);
  }
}

function put(tree: Tree, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (rest.length === 0) tree[first!] = value;
  else {
    const inner = tree[first!];
    const branch: Tree = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Tree) : {};
    tree[first!] = branch;
    put(branch, rest, value);
  }
}

/**
 * Variables that look meant for us and are not. Told, not refused, unlike keys of the file: Kubernetes puts
 * MERIDIAN_SERVICE_HOST and the like into every pod beside a service called meridian.
 */
export function unknownVariables(environment: Environment, used: ReadonlySet<string>): readonly string[] {
  const known = KNOWN_KEYS.map(({ path }) => variableOf(path));
  return Object.keys(environment)
    .filter((name) => name.startsWith('MERIDIAN_') && !known.includes(name) && !used.has(name) && !OTHERS.test(name))
    .map((name) => {
      const near = nearest(name, known);
      return `the environment variable ${name} is none of the configuration's${near === null ? '' : `; did you mean ${near}?`}`;
    });
}

/** The command line's, the tests' and the orchestrator's. */
const OTHERS = /^MERIDIAN_(URL|CONFIG|TEST_.*|FAIL.*|SERVICE_.*|PORT_.*|PORT)$/;
