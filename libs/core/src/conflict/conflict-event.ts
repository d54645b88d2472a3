/** What may become of a conflict, as webhooks and the feed of conflicts call it. */
export const CONFLICT_EVENTS = [
  'conflict.opened',
  /** A later arrival changed what an open one tells. */
  'conflict.followed',
  'conflict.withdrawn',
  'conflict.resolved',
  'conflict.reopened',
] as const;
export type ConflictEvent = (typeof CONFLICT_EVENTS)[number];
