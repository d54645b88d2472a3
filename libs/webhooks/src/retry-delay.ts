/** A delivery is tried again after 5 s, 10 s, 20 s … 10 minutes, a receiver that took nothing is left alone for 1 s, 2 s … 1 minute. */
const DELIVERY = { firstMs: 5_000, mostMs: 600_000 };
const RECEIVER = { firstMs: 1_000, mostMs: 60_000 };

/** Random: [0, 1). So that what failed at one moment does not come back at one. */
export const deliveryDelayMs = (attempts: number, random: () => number): number => delay(DELIVERY, attempts, random);
export const receiverDelayMs = (failures: number, random: () => number): number => delay(RECEIVER, failures, random);

/** Between half and all of it. */
function delay({ firstMs, mostMs }: typeof DELIVERY, before: number, random: () => number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(before, 20));
  return full * (0.5 + random() / 2);
}
