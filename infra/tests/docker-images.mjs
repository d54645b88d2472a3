import { spawnSync } from 'node:child_process';

/** What the integration tests start: the variable they read, an image built locally for it, and the public one. */
const IMAGES = [
  ['MERIDIAN_TEST_POSTGRES_IMAGE', 'meridian-test/postgres:15', 'postgres:15'],
  ['MERIDIAN_TEST_POSTGRES18_IMAGE', 'meridian-test/postgres:18', 'postgres:18'],
  ['MERIDIAN_TEST_KAFKA_IMAGE', 'meridian-test/cp-kafka:8.3.0', 'confluentinc/cp-kafka:8.0.0'],
  ['MERIDIAN_TEST_REDIS_IMAGE', 'meridian-test/redis:7', 'redis:7'],
  ['MERIDIAN_TEST_TOXIPROXY_IMAGE', 'meridian-test/toxiproxy:2', 'shopify/toxiproxy:2.1.4'],
  ['MERIDIAN_TEST_NODE_IMAGE', 'meridian-test/node:24', 'node:24-bookworm-slim'],
];

/** The environment for the integration tests, or `{ unavailable: why }`. What the caller has set stands. */
export function integrationEnvironment() {
  if (!docker('info')) return { unavailable: 'no Docker answers here (`docker info`)' };
  const environment = {};
  for (const [variable, local, published] of IMAGES) {
    const candidates = process.env[variable] ? [process.env[variable]] : [local, published];
    const image =
      candidates.find((name) => docker('image', 'inspect', name)) ?? candidates.find((name) => docker('pull', name));
    if (image === undefined) {
      return { unavailable: `Docker answers, but has no image ${candidates.join(' or ')} and cannot pull one` };
    }
    environment[variable] = image;
    // Where images are built locally there is none of Ryuk, which cleans up after a killed run; and a machine that was
    // itself made from an image makes Testcontainers look for services on the bridge instead of loopback.
    if (image === local)
      Object.assign(environment, { TESTCONTAINERS_RYUK_DISABLED: 'true', TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1' });
  }
  return environment;
}

function docker(...args) {
  return spawnSync('docker', args, { stdio: 'ignore', timeout: 120_000 }).status === 0;
}
