import type {
  ApplyStore,
  ApplyTransaction,
  Change,
  Cut,
  Enrolments,
  Head,
  RegionId,
  TableName,
  TickStore,
} from '@meridian/core';
import type { Sabotage } from '@meridian/testkit';

export type Override = (inner: ApplyTransaction, store: ApplyStore) => Partial<ApplyTransaction>;

/** A transaction whose methods pass through, but for those overridden. */
export function overriding(override: Override): Sabotage {
  return {
    apply: (store): ApplyStore => ({
      region: store.region,
      heads: (): Promise<ReadonlyMap<RegionId, Head>> => store.heads(),
      enrolments: (): Promise<Enrolments> => store.enrolments(),
      waitingTables: (): Promise<ReadonlySet<TableName>> => store.waitingTables(),
      begin: async () => {
        const inner = await store.begin();
        const own = override(inner, store);
        return new Proxy(inner, {
          get: (target, name) => {
            const method = (name in own ? own : target)[name as keyof ApplyTransaction];
            return typeof method === 'function' ? method.bind(name in own ? own : target) : method;
          },
        });
      },
    }),
  };
}

/** A relay whose cuts ship something else than they should. */
export const shipping = (changed: (changes: readonly Change[]) => readonly Change[]): Sabotage => ({
  ticks: (store): TickStore => ({
    region: store.region,
    hasMoved: () => store.hasMoved(),
    readTicks: (origin, from, limit) => store.readTicks(origin, from, limit),
    lastDeps: () => store.lastDeps(),
    dropBelow: (cut) => store.dropBelow(cut),
    openCut: async () => {
      const cut = await store.openCut();
      const shipped: Cut = {
        header: cut.header,
        folding: cut.folding,
        changes: async () => changed(await cut.changes()),
        commit: (tick) => cut.commit(tick),
        abandon: () => cut.abandon(),
      };
      return shipped;
    },
  }),
});
