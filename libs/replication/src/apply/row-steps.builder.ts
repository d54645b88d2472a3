import type { DeletePolicy } from '@meridian/core';
import fc from 'fast-check';
import type { RowReplicas, Write } from './row-replicas.builder.js';

export type Step =
  | { readonly do: 'write'; readonly write: Write }
  | { readonly do: 'cut' | 'apply' | 'compact'; readonly region: number }
  | { readonly do: 'take over'; readonly region: number; readonly from: number };

export const writesIn = (regions: number): fc.Arbitrary<Write> =>
  fc.record({
    region: fc.nat({ max: regions - 1 }),
    remove: fc.constantFrom(false, false, false, true),
    draw: fc.nat({ max: 0xffff }),
    clock: fc.integer({ min: 1, max: 30 }),
  });

/** What regions do by the stream alone. */
export function streamSteps(regions: number): fc.Arbitrary<Step> {
  const region = fc.nat({ max: regions - 1 });
  const todo = <T extends 'cut' | 'apply'>(what: T) => fc.record({ do: fc.constant(what), region });
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), write: writesIn(regions) }) },
    { weight: 2, arbitrary: todo('cut') },
    { weight: 4, arbitrary: todo('apply') },
  );
}

/** And now and then by state: one drops what is stable, one takes another's row and log instead of the ticks in between. */
export function stateSteps(regions: number): fc.Arbitrary<Step> {
  const region = fc.nat({ max: regions - 1 });
  return fc.oneof(
    { weight: 9, arbitrary: streamSteps(regions) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), region }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('take over' as const), region, from: region }) },
  );
}

export function take(rows: RowReplicas, step: Step): void {
  const { replicas } = rows;
  switch (step.do) {
    case 'write':
      return rows.write(step.write);
    case 'cut':
      return rows.cut(replicas[step.region]!);
    case 'apply':
      return void rows.apply(replicas[step.region]!);
    case 'compact':
      return rows.compact(replicas[step.region]!);
    case 'take over':
      return rows.takeOver(replicas[step.region]!, replicas[step.from]!);
  }
}

export const anyDelete = fc.constantFrom<DeletePolicy>('update-wins', 'delete-wins', 'by-stamp');

/** More of them with `MERIDIAN_PROPERTY_RUNS`. */
export const runs = (usual: number): number => Number(process.env['MERIDIAN_PROPERTY_RUNS'] ?? usual);
