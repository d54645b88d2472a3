import tseslint from 'typescript-eslint';

const unpredictable = (what) => `The core is given ${what} by its caller, so that a simulation can replay a run.`;

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', '.meridian/', 'coverage/', 'apps/dashboard/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An async method may have nothing to await: in-memory adapters answer a port's promises.
      '@typescript-eslint/require-await': 'off',
      // `== null` asks for null and undefined at once, and means it.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    // A command line speaks on the console, and so does a benchmark.
    files: ['apps/cli/**/*.ts', 'test/bench/**/*.ts', 'test/simulation/main.ts', 'infra/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['libs/core/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: unpredictable('the time') },
        { object: 'Math', property: 'random', message: unpredictable('randomness') },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: unpredictable('the time') },
        { selector: "CallExpression[callee.name='Date']", message: unpredictable('the time') },
      ],
    },
  },
);
