import type { CatalogColumn } from '../catalog/catalog-table.js';
import { counterBounds } from './counter-bounds.js';

const bounds = (name: string, modifier = -1) => counterBounds({ base: { name }, modifier } as CatalogColumn);
const numeric = (precision: number, scale: number) => bounds('numeric', ((precision << 16) | (scale & 0x7ff)) + 4);

describe('the range of a counter', () => {
  it("is its integer type's", () => {
    expect(bounds('int2')).toEqual(['-32768', '32767']);
    expect(bounds('int8')).toEqual(['-9223372036854775808', '9223372036854775807']);
  });

  it.each([
    [5, 0, '99999'],
    [5, 2, '999.99'],
    [2, 2, '0.99'],
    [2, 4, '0.0099'],
    [3, -2, '99900'],
  ])('of a numeric(%i,%i) ends at %s', (precision, scale, greatest) => {
    expect(numeric(precision, scale)).toEqual([`-${greatest}`, greatest]);
  });

  it('of a numeric without a precision has no end', () => {
    expect(bounds('numeric')).toBeNull();
  });
});
