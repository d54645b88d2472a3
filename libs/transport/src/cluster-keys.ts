import { createHmac, hash } from 'node:crypto';
import type { Digest } from '@meridian/core';

/** SHA-256 in hex: what production gives the core where it asks for a {@link Digest}. */
export const sha256: Digest = (text) => hash('sha256', text);

/** What the members of one cluster share. Several secrets: the first signs, all verify, so that a secret can be changed. */
export interface ClusterIdentity {
  readonly cluster: string;
  readonly secrets: readonly [string, ...string[]];
}

/** A key for one purpose. The id tells another cluster's (or a retired) key from a damaged message; it betrays nothing. */
export interface ClusterKey {
  readonly id: Buffer;
  readonly secret: Buffer;
}

export type KeyPurpose = 'envelope' | 'peer call';

/**
 * Derived by (secret, purpose, cluster): a signature for one purpose proves nothing for another, nor does one cluster's
 * for another cluster that happens to use the same secret.
 */
export function clusterKeys(identity: ClusterIdentity, purpose: KeyPurpose): readonly [ClusterKey, ...ClusterKey[]] {
  const [first, ...rest] = identity.secrets;
  const derive = (secret: string): ClusterKey => {
    if (secret === '') throw new RangeError('the cluster secret is empty: set `secret` in meridian.yaml');
    const key = createHmac('sha256', secret).update(`meridian ${purpose} v1\n${identity.cluster}`).digest();
    return { id: createHmac('sha256', key).update('key id').digest().subarray(0, 4), secret: key };
  };
  return [derive(first), ...rest.map(derive)];
}
