#!/usr/bin/env node
// Plain JavaScript for whatever Node is installed: installs, builds, and hands over to the CLI under the pinned Node.
import { run } from '../../../infra/bootstrap/run.mjs';

await run('cli', process.argv.slice(2));
