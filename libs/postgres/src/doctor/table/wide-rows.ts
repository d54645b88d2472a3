import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';

/** From here on the bytes of a row, not the number of rows, say what a change costs. */
const WIDE_BYTES = 65_536;

/** As of the last ANALYZE. */
export function wideRows({ table, facts: { rows, bytes } }: Examined): TableFinding[] {
  if (rows < 1 || bytes / rows < WIDE_BYTES) return [];
  return [
    {
      ...{ code: 'wide_rows', severity: 'hint', subject: table.name },
      message: `its rows take ${Math.round(bytes / rows / 1024)} kB each, on the average`,
      meaning:
        'old and new values of changed columns are logged, sent and held in memory until they are applied; a change of more than 200 MB is refused where it is written',
      cure: {
        text: 'keep large values in a table of their own, or outside with their address here; write many of them in several transactions',
      },
    },
  ];
}
