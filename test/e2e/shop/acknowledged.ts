/** What the shop's customers were told is done. A write whose answer never came would be neither: none is expected. */
export class Acknowledged {
  /** By product: the sum of what was bought, and of what was put into stock. */
  readonly stock = new Map<string, number>();
  /** By cart; every item is put in once, so that it is there unless somebody took it out who had it in front of them. */
  readonly cartItems = new Map<string, Set<string>>();
  /** By customer and column: every value written, and the one it was written over. No two are the same. */
  readonly profiles = new Map<string, Map<string, string>>();
  /** By customer's id: the address they signed up with. */
  readonly signUps = new Map<string, string>();
  /** By order: how many items it has. */
  readonly orders = new Map<string, number>();
  refusedAddresses = 0;

  moved(product: string, by: number): void {
    this.stock.set(product, (this.stock.get(product) ?? 0) + by);
  }

  putInto(cart: string, item: string): void {
    this.cartItems.set(cart, (this.cartItems.get(cart) ?? new Set()).add(item));
  }

  tookOut(cart: string, items: readonly string[]): void {
    for (const item of items) this.cartItems.get(cart)?.delete(item);
  }

  wrote(customer: string, column: string, value: string, over: string): void {
    const register = `${customer} ${column}`;
    this.profiles.set(register, (this.profiles.get(register) ?? new Map<string, string>()).set(value, over));
  }

  /** Values of one column that nobody wrote over who had seen them: one of them stands, the others have lost. */
  lastOf(register: string): string[] {
    const written = this.profiles.get(register) ?? new Map<string, string>();
    const covered = new Set(written.values());
    return [...written.keys()].filter((value) => !covered.has(value));
  }

  get count(): number {
    const profiles = [...this.profiles.values()].reduce((sum, values) => sum + values.size, 0);
    const items = [...this.cartItems.values()].reduce((sum, cart) => sum + cart.size, 0);
    return profiles + items + this.signUps.size + this.orders.size;
  }
}
