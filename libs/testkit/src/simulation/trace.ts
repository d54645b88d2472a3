/**
 * What happened, as one number: equal traces, equal runs. Lines are kept only when somebody wants to read them.
 */
export class Trace {
  private state = 0x811c9dc5;
  private high = 0x9e3779b9;
  private lines: string[] | null = null;
  private clock: () => number = () => 0;
  private readonly labels = new Map<string, number>();

  keepLines(clock: () => number): void {
    this.lines = [];
    this.clock = clock;
  }

  note(agent: number, label: string): void {
    let code = this.labels.get(label);
    if (code === undefined) this.labels.set(label, (code = this.labels.size + 1));
    this.mix(agent);
    this.mix(code);
  }

  /** Something worth reading; `mark` is what tells it from other such events without making its text. */
  event(mark: number, text: () => string): void {
    this.mix(mark);
    this.lines?.push(`${(this.clock() / 1000).toFixed(2).padStart(10)} ms  ${text()}`);
  }

  get hash(): string {
    return (this.high >>> 0).toString(16).padStart(8, '0') + (this.state >>> 0).toString(16).padStart(8, '0');
  }

  get text(): readonly string[] {
    return this.lines ?? [];
  }

  private mix(value: number): void {
    this.state = Math.imul(this.state ^ value, 0x01000193);
    this.high = Math.imul(this.high ^ this.state ^ (value << 7), 0x85ebca6b);
  }
}
