#!/usr/bin/env node
// Plain JavaScript for whatever Node is installed: installs, builds, and hands over to the CLI under the pinned Node.
import { runOrExplain } from '../../../infra/bootstrap/run.mjs';

await runOrExplain('cli', process.argv.slice(2));
