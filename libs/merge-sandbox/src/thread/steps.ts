/** QuickJS asks after every 10,000 jumps (a turn of a loop is one or two), calls, and steps back in a regular expression. */
const STEPS_PER_QUESTION = 10_000;

/**
 * Counts what the interpreter does instead of timing it: a call ends after the same step in every region, however busy its
 * machine is. What runs inside one builtin is not counted; that is the watchdog's.
 */
export class Steps {
  private left = 0;

  allow(steps: number): void {
    this.left = steps / STEPS_PER_QUESTION;
  }

  get exceeded(): boolean {
    return this.left < 0;
  }

  /** True ends what runs, past every `catch`. */
  readonly isToEnd = (): boolean => {
    this.left--;
    return this.exceeded;
  };
}
