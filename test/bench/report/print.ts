import type { TableRow } from './table.js';

const HEADINGS = ['work', 'raw PostgreSQL', 'native replication', 'Meridian', 'to reach', ''] as const;

const columns = (row: TableRow): readonly string[] => [
  row.work,
  row.cells.raw,
  row.cells.native,
  row.cells.meridian,
  row.goal,
  row.reached === undefined ? '' : row.reached ? 'yes' : 'NO',
];

export function plainText(rows: readonly TableRow[]): string {
  const all = [HEADINGS, ...rows.map(columns)];
  const widths = HEADINGS.map((_, i) => Math.max(...all.map((cells) => cells[i]!.length)));
  return all
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdown(rows: readonly TableRow[], circumstances: string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const headings = [
    'work',
    'raw PostgreSQL',
    'native replication',
    'Meridian',
    'to reach',
    'reached',
    'others, measured earlier',
  ];
  const table = [headings, headings.map(() => '---'), ...rows.map((row) => [...columns(row), row.peers])]
    .map(line)
    .join('\n');
  return `# Benchmark

Written by \`npm run bench -- --markdown\`; what is measured, and how, is in [test/bench](../test/bench/README.md).

${circumstances}

${table}

A ratio is to raw PostgreSQL in the same round, the median of the rounds with the lowest and the highest; behind it the
rate itself. Catch-up is as a ratio to native replication.
`;
}
