/*
 * Who may import whom. The core knows nobody; adapters (to PostgreSQL, to a transport) and runtimes (which drive the core)
 * know the core only; apps/region, the composition root, knows everybody. See "Layout" in README.md.
 */
const ADAPTERS = 'postgres|transport|redis|embedded-postgres|merge-sandbox|webhooks';
const RUNTIMES = 'replication|consistency|cluster|agent-memory';
/** A test may use the testkit and whatever it compares with; the rules are about what ships. */
const SHIPPED = { pathNot: '\\.(spec|builder)\\.ts$|^libs/testkit/' };

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-pure',
      comment: 'libs/core imports nothing but itself: no package, no Node.',
      severity: 'error',
      from: { path: '^libs/core/', pathNot: '\\.spec\\.ts$|^libs/core/src/merge/text/' },
      to: { pathNot: '^libs/core/' },
    },
    {
      name: 'texts-know-only-core-and-yjs',
      comment:
        'Where a character goes that two regions insert at one place is what Yjs is for: a pure function as used here, and no module of ours would be read with more trust.',
      severity: 'error',
      from: { path: '^libs/core/src/merge/text/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/core/|node_modules/yjs/' },
    },
    {
      name: 'contract-is-pure',
      comment: 'The client and the dashboard load the contract in a browser.',
      severity: 'error',
      from: { path: '^libs/contract/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/(contract|core)/|node_modules/zod/' },
    },
    {
      name: 'adapters-know-only-core',
      comment: 'Adapters meet at the ports of libs/core, in apps/region; never each other.',
      severity: 'error',
      from: { ...SHIPPED, path: `^libs/(${ADAPTERS})/` },
      to: { path: '^(libs|apps)/', pathNot: '^libs/(core|config|$1)/' },
    },
    {
      name: 'runtimes-know-only-core',
      comment: 'A runtime drives the core through ports and is bound to adapters in apps/region.',
      severity: 'error',
      from: { ...SHIPPED, path: `^libs/(${RUNTIMES})/` },
      to: { path: '^(libs|apps)/', pathNot: '^libs/(core|config|$1)/' },
    },
    {
      name: 'api-knows-no-adapter',
      comment: 'The API speaks to runtimes and to ports.',
      severity: 'error',
      from: { ...SHIPPED, path: '^libs/api/' },
      to: { path: `^libs/(${ADAPTERS})/` },
    },
    {
      name: 'client-knows-only-contract',
      comment: 'The client is used outside of Meridian.',
      severity: 'error',
      from: { ...SHIPPED, path: '^libs/client/' },
      to: { path: '^(libs|apps)/', pathNot: '^libs/(contract|client)/' },
    },
    {
      name: 'libs-never-import-apps',
      comment: 'Apps are put together from libs, not the other way round.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'through-the-front-door',
      comment: 'A lib is used through its index.ts; what lies deeper is its own.',
      severity: 'error',
      from: { path: '^(?:libs|apps|test)/([^/]+)/' },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/$1/'] },
    },
    {
      name: 'only-tests-import-the-testkit',
      comment: 'Nothing made for tests ships.',
      severity: 'error',
      from: { ...SHIPPED, path: '^(libs|apps)/' },
      to: { path: '^libs/testkit/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^apps/dashboard/(dist|node_modules)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
