/** A binary heap by time; equal times in the order of arrival, so that the order is total. */
export class WakeHeap<T> {
  private readonly entries: { readonly at: number; readonly order: number; readonly what: T }[] = [];
  private arrivals = 0;

  earliest(): number | undefined {
    return this.entries[0]?.at;
  }

  push(at: number, what: T): void {
    const entries = this.entries;
    let i = entries.push({ at, order: this.arrivals++, what }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.before(i, parent)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): T {
    const entries = this.entries;
    const top = entries[0];
    if (top === undefined) throw new RangeError('nobody sleeps');
    const last = entries.pop()!;
    if (entries.length > 0) {
      entries[0] = last;
      this.sink();
    }
    return top.what;
  }

  private sink(): void {
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < this.entries.length && this.before(child, least)) least = child;
      if (least === i) return;
      this.swap(i, least);
      i = least;
    }
  }

  private before(i: number, j: number): boolean {
    const [a, b] = [this.entries[i]!, this.entries[j]!];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private swap(i: number, j: number): void {
    [this.entries[i], this.entries[j]] = [this.entries[j]!, this.entries[i]!];
  }
}
