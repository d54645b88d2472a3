const [OFFSET, PRIME, LOW] = [0xcbf29ce484222325n, 0x100000001b3n, (1n << 52n) - 1n];

/**
 * By what name somebody's characters go in a document: where two insert at one place, the lower comes first. The same in every region:
 * FNV-1a of the name, folded to the 52 bits that Yjs takes in a number.
 */
export function textClient(name: string): number {
  let hash = OFFSET;
  for (const unit of name) hash = BigInt.asUintN(64, (hash ^ BigInt(unit.codePointAt(0)!)) * PRIME);
  return Number((hash >> 12n) ^ (hash & LOW));
}

/** Who wrote what all have seen. */
export const BASE_CLIENT = 1;
