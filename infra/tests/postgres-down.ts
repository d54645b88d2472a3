import { rmSync } from 'node:fs';
import './postgres-up';

export default async function postgresDown(): Promise<void> {
  const run = globalThis.meridianTestPostgres;
  await run?.server.stop();
  if (run) rmSync(run.folder, { recursive: true, force: true });
}
