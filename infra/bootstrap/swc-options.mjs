import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const libs = readdirSync(join(root, 'libs'));

/** What swc is told, by the build and by jest alike, so that a test runs the code that production runs. */
export const swcOptions = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2023',
    keepClassNames: true,
    baseUrl: root,
    // swc turns the aliases into relative paths: neither Node nor jest (whose globalSetup knows no mapper) meets one.
    paths: Object.fromEntries(libs.map((lib) => [`@meridian/${lib}`, [join(root, 'libs', lib, 'src', 'index.ts')]])),
  },
  module: { type: 'commonjs' },
  swcrc: false,
};
