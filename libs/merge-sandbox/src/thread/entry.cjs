const { existsSync } = require('node:fs');
const { registerHooks } = require('node:module');
const { join } = require('node:path');

// In dist/ these files are JavaScript. A test runs from source: Node strips the types by itself, but takes `./realm.js` for
// the name of a file.
if (!existsSync(join(__dirname, 'main.js'))) {
  registerHooks({
    resolve: (specifier, context, next) =>
      /^\.\/.*\.js$/.test(specifier) && context.parentURL?.startsWith(`file://${__dirname}/`)
        ? { ...next(specifier.replace(/\.js$/, '.ts'), context), format: 'module-typescript' }
        : next(specifier, context),
  });
}
require('./main.js');
