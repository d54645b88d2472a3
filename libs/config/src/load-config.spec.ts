import { ConfigError } from './config-error.js';
import { parseConfig } from './load-config.js';
import { configReference } from './reference.js';

const YAML = `
cluster: shop
secret: \${SHOP_SECRET}
region: us
http: { host: 127.0.0.1, port: 7001 }
postgres: { url: "postgres://app:app@127.0.0.1:7101/app" }
peers: { eu: "http://127.0.0.1:7002", ap: "http://127.0.0.1:7003" }
transport: direct
redis: redis://127.0.0.1:6379
tables: { public.items: { columns: { stock: counter } }, public.orders: }
`;
const ENVIRONMENT = { SHOP_SECRET: '0123456789abcdef0123456789abcdef' };
const faults = (yaml: string, environment: Record<string, string> = ENVIRONMENT): readonly string[] => {
  try {
    parseConfig(yaml, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults;
  }
  return [];
};

describe('configuration', () => {
  it('reads the documented example, with defaults for the rest', () => {
    const { config, warnings } = parseConfig(YAML, ENVIRONMENT);
    expect(config).toMatchObject({
      cluster: 'shop',
      region: 'us',
      secret: ENVIRONMENT.SHOP_SECRET,
      transport: 'direct',
    });
    expect(config.http.bodyLimitBytes).toBe(1_048_576);
    expect(config.tables['public.items']!.columns).toEqual({ stock: 'counter' });
    expect(config.tables['public.orders']!.granularity).toBe('column');
    expect(warnings).toEqual([]);
    expect(Object.isFrozen(config.http)).toBe(true);
  });

  it('takes every key from the environment, over the file', () => {
    const { config } = parseConfig(YAML, {
      ...ENVIRONMENT,
      MERIDIAN_HTTP_PORT: '8001',
      MERIDIAN_POSTGRES_URL: 'postgres://other/db',
      MERIDIAN_PEERS: '{"eu":"http://eu:1"}',
      MERIDIAN_TRANSPORT: '{"kafka":{"brokers":["k:9092"]}}',
      MERIDIAN_REPLICATION_TICK_INTERVAL_MS: '5',
    });
    expect(config.http.port).toBe(8001);
    expect(config.postgres.url).toBe('postgres://other/db');
    expect(config.peers).toEqual({ eu: 'http://eu:1' });
    expect(config.transport).toMatchObject({ kafka: { brokers: ['k:9092'] } });
    expect(config.replication.tickIntervalMs).toBe(5);
  });

  it('needs no file at all', () => {
    const { config } = parseConfig('', {
      MERIDIAN_CLUSTER: 'shop',
      MERIDIAN_REGION: 'eu',
      MERIDIAN_SECRET: ENVIRONMENT.SHOP_SECRET,
      MERIDIAN_POSTGRES_URL: 'postgres://x/y',
    });
    expect(config.region).toBe('eu');
  });

  it('refuses unknown keys and names the nearest known one', () => {
    expect(faults(`${YAML}\npears: {}`)).toEqual(['pears: there is no such key; did you mean peers?']);
    expect(faults(YAML.replace('port: 7001', 'prot: 7001'))).toEqual([
      'http.prot: there is no such key; did you mean http.port?',
    ]);
  });

  it('tells of variables that look meant for it', () => {
    expect(
      parseConfig(YAML, { ...ENVIRONMENT, MERIDIAN_POSTGRES_URI: 'x', MERIDIAN_SERVICE_HOST: 'y' }).warnings,
    ).toEqual([
      "the environment variable MERIDIAN_POSTGRES_URI is none of the configuration's; did you mean MERIDIAN_POSTGRES_URL?",
    ]);
  });

  it('refuses a variable that is not set, a short secret, and its own name among the peers', () => {
    expect(faults(YAML, {})).toEqual(['secret: the environment variable SHOP_SECRET is not set']);
    expect(faults(YAML, { SHOP_SECRET: 'short' })[0]).toMatch(/^secret: at least 16 characters/);
    expect(faults(YAML.replace('eu:', 'us:'))[0]).toMatch(/^peers.us: it is this region's own name/);
    expect(faults(YAML.replace('region: us', 'region: U.S.'))[0]).toMatch(/^region: a region name is/);
    expect(faults(YAML.replace('region: us', ''))).toEqual(['region: it is missing']);
    expect(faults(YAML.replace('transport: direct', 'transport: pigeon'))[0]).toMatch(/^transport: takes direct, or/);
    expect(faults(YAML.replace('port: 7001', 'port: abc'))[0]).toMatch(/^http.port: .*expected number/);
  });

  it('refuses YAML that says a key twice or is none', () => {
    expect(faults(`${YAML}\nregion: eu`)[0]).toMatch(/unique/i);
    expect(faults('- a')).toEqual(['it holds no mapping of keys']);
  });

  it('takes webhooks by name, with one secret or several', () => {
    const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const hook = { url: 'https://hooks.shop/conflicts', secret: '${HOOK}', tables: ['items', 'sales."My Orders"'] };
    const yaml = (more: object) => `${YAML}\nwebhooks: ${JSON.stringify({ inbox: { ...hook, ...more } })}`;
    const { config } = parseConfig(yaml({}), { ...ENVIRONMENT, HOOK: secret });
    expect(config.webhooks.inbox).toEqual({
      url: 'https://hooks.shop/conflicts',
      secret: [secret],
      events: ['conflict.opened', 'conflict.withdrawn', 'conflict.resolved', 'conflict.reopened'],
      tables: [
        { schema: 'public', name: 'items' },
        { schema: 'sales', name: 'My Orders' },
      ],
      giveUpHours: 72,
    });
    const fault = (more: object): string => faults(yaml(more), { ...ENVIRONMENT, HOOK: secret })[0]!;
    expect(fault({ secret: 'hunter2' })).toMatch(/^webhooks.inbox.secret: .*openssl rand/);
    expect(fault({ secret: `whsec_${Buffer.alloc(8).toString('base64')}` })).toMatch(/^webhooks.inbox.secret: /);
    expect(fault({ url: 'ftp://hooks.shop' })).toMatch(/^webhooks.inbox.url: an http/);
    expect(fault({ url: 'https://me:secret@hooks.shop' })).toMatch(/^webhooks.inbox.url: a name or password/);
    expect(fault({ events: ['conflict.closed'] })).toMatch(/^webhooks.inbox.events/);
    expect(fault({ event: [] })).toMatch(/^webhooks.inbox.event: there is no such key/);
    expect(fault({ tables: ['a.b.c.d'] })).toMatch(/^webhooks.inbox.tables/);
  });

  it('prints its own reference', () => {
    expect(configReference()).toContain('| `http.bodyLimitBytes` | `MERIDIAN_HTTP_BODY_LIMIT_BYTES` | `1048576` |');
  });
});
