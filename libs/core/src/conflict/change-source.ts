import type { Entry } from '../causality/coverage.js';
import { rankOf } from '../change/change.js';
import { versionOf } from './explain.js';
import type { ChangeSource } from './row-explanation.js';

export function sourceOf(e: Entry, column: string | undefined): ChangeSource {
  const { origin, id, stamp, wall, actor, application } = versionOf(withRank(e, column));
  return { origin, id, stamp, wall, actor, application };
}

/** As the write of this column itself. */
export const withRank = (e: Entry, column: string | undefined): Entry => ({ ...e, ...rankOf(e, column) });
