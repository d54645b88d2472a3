import { build } from '../bootstrap/build.mjs';

/** The end-to-end tests start Meridian as processes, from dist/. */
export default async function buildFirst(config) {
  await build(config.rootDir);
}
