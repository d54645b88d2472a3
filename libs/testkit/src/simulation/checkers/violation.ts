/** An invariant of design 9 that a run has broken. */
export class Violation extends Error {
  constructor(
    readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'log' | 'liveness',
    detail: string,
  ) {
    super(`${invariant}: ${detail}`);
  }
}
