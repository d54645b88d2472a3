export { type LoadedConfig, loadConfig, parseConfig } from './load-config.js';
export { ConfigError } from './config-error.js';
export type { RegionConfig } from './schema.js';
export { configReference } from './reference.js';
