import { dirname, join } from 'node:path';
import { serve } from '../../../apps/region/src/serve.js';
import { Failpoint } from './failpoint.js';

/** `serve --config FILE` with failpoints: the file `failpoint` beside the configuration names the step to die at. */
const configFile = process.argv[4]!;
const failpoint = new Failpoint(join(dirname(configFile), 'failpoint'));

serve(configFile, {
  ticks: (store) => failpoint.ticks(store),
  apply: (store) => failpoint.apply(store),
  transport: (transport) => failpoint.transport(transport),
}).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
