import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './config-error.js';
import { type Environment, interpolated, unknownVariables, withEnvironment } from './environment.js';
import { KNOWN_KEYS } from './known-keys.js';
import { nearest } from './nearest.js';
import { type RegionConfig, RegionConfigSchema } from './schema.js';

export interface LoadedConfig {
  readonly config: RegionConfig;
  /** For the log at start. */
  readonly warnings: readonly string[];
}

/** File and environment → one readonly object; nothing else reads either. Throws {@link ConfigError}. */
export function loadConfig(file: string | null, environment: Environment): LoadedConfig {
  return parseConfig(file === null ? '' : readFile(file), environment, file ?? 'the environment');
}

export function parseConfig(text: string, environment: Environment, source = 'meridian.yaml'): LoadedConfig {
  const faults: string[] = [];
  const tree = withEnvironment(
    interpolated(mapping(text, source), environment, '', faults) as Record<string, unknown>,
    environment,
  );
  if (faults.length > 0) throw new ConfigError(source, faults);
  const parsed = RegionConfigSchema.safeParse(tree, { reportInput: true });
  if (!parsed.success) throw new ConfigError(source, parsed.error.issues.flatMap(faultsOf));
  const crossed = crossFaults(parsed.data);
  if (crossed.length > 0) throw new ConfigError(source, crossed);
  return { config: deepFrozen(parsed.data), warnings: unknownVariables(environment, mentioned(text)) };
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(file, [`it cannot be read: ${(cause as Error).message}`]);
  }
}

function mapping(text: string, source: string): object {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0)
    throw new ConfigError(
      source,
      document.errors.map((e) => e.message),
    );
  const content: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError(source, ['it holds no mapping of keys']);
  return content as object;
}

const mentioned = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)].map(([, name]) => name!));

function faultsOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_type' && issue.input === undefined) return [`${path}: it is missing`];
  if (issue.code === 'invalid_union') return [`${path}: ${unionFault(issue)}`];
  return [`${path}: ${issue.message}`];
}

/** The branch that came furthest is the one that was meant. */
function unionFault(issue: z.core.$ZodIssueInvalidUnion): string {
  const branches = issue.errors.flat().filter((e) => e.path.length > 0);
  return branches.length === 0 ? issue.message : branches.map((e) => `${e.path.join('.')}: ${e.message}`).join('; ');
}

function unknownKey(path: string, key: string): string {
  const siblings = KNOWN_KEYS.filter((k) => k.path.slice(0, -1).join('.') === path || path === '').map((k) =>
    path === '' ? k.path[0]! : k.path.at(-1)!,
  );
  const near = nearest(key, [...new Set(siblings)]);
  const full = path === '' ? key : `${path}.${key}`;
  return `${full}: there is no such key${near === null ? '' : `; did you mean ${path === '' ? near : `${path}.${near}`}?`}`;
}

/** Rules over more than one key. */
function crossFaults(config: RegionConfig): string[] {
  const { region, peers, replication, transport } = config;
  const addresses = Object.values(peers);
  return [
    ...(Object.hasOwn(peers, region) ? [`peers.${region}: it is this region's own name; list the others only`] : []),
    ...(new Set(addresses).size < addresses.length
      ? ['peers: two regions have one address; each has its own service']
      : []),
    ...(replication.heartbeatMs < replication.tickIntervalMs
      ? ['replication.heartbeatMs: it is below tickIntervalMs; make it larger']
      : []),
    ...(replication.pollIntervalMs < replication.tickIntervalMs
      ? ['replication.pollIntervalMs: it is below tickIntervalMs; make it larger']
      : []),
    ...(transport !== 'direct' && addresses.length === 0
      ? ['peers: with Kafka too, peers are needed: gaps are filled over direct']
      : []),
  ];
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(Object.freeze(value))) deepFrozen(inner);
  return value;
}
