import { swcOptions } from './infra/bootstrap/swc-options.mjs';

const shared = {
  rootDir: '.',
  testEnvironment: 'node',
  resolver: '<rootDir>/infra/tests/typescript-resolver.cjs',
  transform: { '^.+\\.ts$': ['@swc/jest', { ...swcOptions, sourceMaps: 'inline' }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.meridian/'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
};
const project = (displayName, testMatch, more = {}) => ({
  ...shared,
  displayName,
  testMatch: testMatch.map((glob) => `<rootDir>/${glob}`),
  ...more,
});

export default {
  maxWorkers: 2,
  // A machine that runs other tests beside these may be ten times slower than one at rest.
  testTimeout: 60_000,
  projects: [
    project('unit', ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/house/**/*.spec.ts'], {
      testPathIgnorePatterns: ['/node_modules/', '\\.pg\\.spec\\.ts$', '/apps/dashboard/'],
    }),
    project('pg', ['libs/**/*.pg.spec.ts', 'apps/**/*.pg.spec.ts', 'test/races/*.pg.spec.ts'], {
      globalSetup: '<rootDir>/infra/tests/postgres-up.ts',
      globalTeardown: '<rootDir>/infra/tests/postgres-down.ts',
    }),
    project('simulation', ['test/simulation/**/*.spec.ts', 'test/golden/**/*.spec.ts'], {
      globalSetup: '<rootDir>/infra/tests/build-first.mjs',
    }),
    project('integration', ['test/integration/**/*.spec.ts'], { globalSetup: '<rootDir>/infra/tests/build-first.mjs' }),
    project('e2e', ['test/e2e/**/*.spec.ts'], { globalSetup: '<rootDir>/infra/tests/build-first.mjs' }),
  ],
};
