import type { Entry } from '../causality/coverage.js';
import { patchOf, valueIn } from '../change/change.js';

/** Decisions of conflicts are rows, too: of two that did not know of each other one stands. */
export const isDecision = ({ table }: Pick<Entry, 'table'>): boolean => table === 'meridian.decision';

export const decisionReason = (winner: Entry, loser: Entry, because: string): string =>
  `${told(winner)}, and that stands: ${because}; ${told(loser)} and had not yet seen it`;

function told(decision: Entry): string {
  const values = patchOf(decision);
  const by = valueIn(values, 'by') ?? '';
  return `${by === '' ? 'somebody' : by} in ${decision.origin} decided ${valueIn(values, 'strategy') ?? 'otherwise'}`;
}
