import { type RegionId, type Seq, at } from '@meridian/core';
import type { MemoryDatabase } from '../memory-store/index.js';
import { ACCOUNTS, TOTAL_BALANCE } from '../schema.js';
import { Violation } from './violation.js';

/** I1: when a tick is in, so is everything it depends on, and no seq is left out or taken twice. */
export function watchClosedVectors(db: MemoryDatabase): void {
  const seen = new Map<RegionId, Seq>();
  db.observe((commit) => {
    const vector = db.vector();
    for (const tick of commit.ticks) {
      const before = seen.get(tick.origin) ?? 0;
      if (tick.seq !== before + 1)
        throw new Violation('I1', `${db.region} took ${tick.origin}/${tick.seq} after ${before}`);
      seen.set(tick.origin, tick.seq);
      for (const origin of Object.keys(tick.deps) as RegionId[])
        if (at(vector, origin) < at(tick.deps, origin))
          throw new Violation(
            'I1',
            `${db.region} has ${tick.origin}/${tick.seq} but not ${origin}/${at(tick.deps, origin)}`,
          );
    }
  });
}

/** I4: transfers move a balance inside one transaction, so a reader of any region at any time counts the same total. */
export function watchWholeTransactions(db: MemoryDatabase): void {
  db.observe(() => {
    let total = 0;
    for (const { values } of db.rows(ACCOUNTS).values()) total += Number(values['balance']);
    if (total !== TOTAL_BALANCE)
      throw new Violation('I4', `a reader in ${db.region} counts ${total} in the accounts, not ${TOTAL_BALANCE}`);
  });
}
