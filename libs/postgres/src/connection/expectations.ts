/**
 * What a statement found is not what its transaction relies on. An error, for the statements behind it, COMMIT among them, are
 * on their way already.
 */
export const ROW_APPEARED = '9M001';
export const OVERTAKEN = '9M002';

/** Calls meridian.expect, which raises `state` unless `holds`. */
export const expect = (holds: string, state: string, otherwise: string): string =>
  `meridian.expect(${holds}, '${state}', ${otherwise})`;
