/** Header names of the outside contract, as documents write them; HTTP does not care for case. */
export const HEADERS = {
  region: 'Meridian-Region',
  session: 'Meridian-Session',
  consistency: 'Meridian-Consistency',
  actor: 'Meridian-Actor',
  siblings: 'Meridian-Siblings',
  idempotencyKey: 'Idempotency-Key',
} as const;
