import { loadConfig } from '@meridian/config';
import pino from 'pino';
import { RegionService, type Seams } from './region-service.js';

const LINGER_MS = 500;

/** `meridian serve`: one region's service until SIGTERM or Ctrl-C. */
export async function serve(configFile: string | null, seams?: Seams): Promise<void> {
  const { config, warnings } = loadConfig(configFile, process.env);
  const log = pino({
    level: config.log.level,
    base: { region: config.region },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
  for (const warning of warnings) log.warn(warning);
  const service = await RegionService.start(config, log, seams);
  log.info({ address: `http://${config.http.host}:${config.http.port}` }, 'serving');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
  log.info('stopping');
  await service.stop();
  // All is closed. A client of a broker that does not answer may hold the process all the same, with its last retries.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
