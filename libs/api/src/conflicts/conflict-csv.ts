import type { Conflict } from '@meridian/contract';

type Cell = string | null | object;

const COLUMNS: readonly (readonly [name: string, cell: (conflict: Conflict) => Cell])[] = [
  ['id', (c) => c.id],
  ['table', (c) => c.table],
  ['key', (c) => c.key],
  ['kind', (c) => c.kind],
  ['region', (c) => c.region],
  ['status', (c) => c.status],
  ['reason', (c) => c.reason],
  ['lost_origin', (c) => c.loser.origin],
  ['lost_id', (c) => String(c.loser.id)],
  ['lost_op', (c) => c.loser.op],
  ['lost_stamp', (c) => c.loser.stamp],
  ['lost_at', (c) => c.loser.wall],
  ['lost_by', (c) => c.loser.actor],
  ['lost_with', (c) => c.loser.application ?? null],
  ['lost_values', (c) => c.loser.values],
  ['versions', (c) => c.versions],
  ['base', (c) => c.base],
  ['overwritten', (c) => c.overwritten],
  ['result', (c) => c.result],
  ['decision', (c) => c.decision?.strategy ?? null],
  ['decided_by', (c) => c.decision?.by ?? null],
  ['decided_in', (c) => c.decision?.region ?? null],
  ['decided_at', (c) => c.decision?.at ?? null],
  ['decision_note', (c) => c.decision?.note ?? null],
  ['written', (c) => c.decision?.written ?? null],
  ['assignee', (c) => c.assignee],
  ['snoozed_until', (c) => c.snoozedUntil],
  ['note', (c) => c.note?.text ?? null],
  ['created_at', (c) => c.createdAt],
  ['updated_at', (c) => c.updatedAt],
];

/** RFC 4180; what is nested is JSON. */
export const CSV_HEADER = `${COLUMNS.map(([name]) => name).join(',')}\r\n`;

export const csvLine = (conflict: Conflict): string =>
  `${COLUMNS.map(([, cell]) => quoted(cell(conflict))).join(',')}\r\n`;

function quoted(cell: Cell): string {
  if (cell === null) return '';
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  // A spreadsheet would run what somebody wrote as a note or an actor's name as a formula.
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
