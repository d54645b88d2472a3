import { redacted } from '@meridian/api';
import type { Conflict, ConflictMessage } from '@meridian/contract';
import type { ConflictReader, Delivery } from '@meridian/core';

export interface Sender {
  readonly cluster: string;
  readonly region: string;
}

/** What receivers are sent: the conflicts as they are now, without the values of secret columns. */
export async function messagesOf(
  deliveries: readonly Delivery[],
  { cluster, region }: Sender,
  conflicts: Pick<ConflictReader, 'secrets'>,
): Promise<readonly (string | null)[]> {
  const secrets = await conflicts.secrets();
  return deliveries.map(({ event, at, conflict }) => {
    if (conflict === null) return null;
    const data = redacted(JSON.parse(conflict) as Conflict, secrets);
    return JSON.stringify({ type: event, timestamp: at, cluster, region, data } satisfies ConflictMessage);
  });
}
