import type { LocalRegion } from '../dev/local-cluster.js';

interface ConflictItem {
  readonly table: string;
  readonly key: unknown;
  readonly kind: string;
  readonly reason: string;
}

const SHOWN = 8;

/** The conflicts as any region tells them: they are the same in all. */
export async function printConflicts(region: LocalRegion): Promise<void> {
  const answer = await fetch(`${region.http}/v1/conflicts?limit=1000`);
  if (!answer.ok) throw new Error(`GET /v1/conflicts answered ${answer.status}: ${await answer.text()}`);
  const { items } = (await answer.json()) as { items: readonly ConflictItem[] };
  const kinds = new Map<string, number>();
  for (const { kind } of items) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  process.stdout.write(
    `${items.length} conflicts, each decided the same way in every region, none lost: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ')}\n`,
  );
  // One of each kind first: that is what a newcomer wants to see.
  const ordered = [...items].sort((a, b) => (kinds.get(a.kind) ?? 0) - (kinds.get(b.kind) ?? 0));
  for (const { table, key, kind, reason } of ordered.slice(0, SHOWN))
    process.stdout.write(`  ${table} ${JSON.stringify(key)} ${kind}\n      ${reason}\n`);
  if (items.length > SHOWN) process.stdout.write(`  … and ${items.length - SHOWN} more: ${region.http}/v1/conflicts\n`);
}
