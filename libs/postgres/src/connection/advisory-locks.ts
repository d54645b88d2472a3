/**
 * The relay holds it from before its snapshot to after its commit; apply takes it for its last look (design 5, step 7).
 * A lock taken inside REPEATABLE READ would come after the snapshot, so the relay takes it by session.
 */
export const CUT_LOCK = `hashtextextended('meridian cut', 0)`;
/** One relay and one applier per region. */
export const LEADER_LOCK = `hashtextextended('meridian leader', 0)`;
