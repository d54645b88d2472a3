import type { TableName } from '../ids.js';
import { type Enrolments, standingOf } from './enrolments.js';
import type { TableSpec } from './table-policy.js';

const table = 'public.items' as TableName;
const known = (epoch: number | null, ended: number | null): Enrolments => ({
  tables: new Map(epoch === null ? [] : [[table, { name: table, epoch } as TableSpec]]),
  ended: new Map(ended === null ? [] : [[table, ended]]),
});

describe('a change stands, by its epoch,', () => {
  it.each([
    [1, known(null, null), 'unknown'],
    [1, known(1, null), 'present'],
    [1, known(2, null), 'present'],
    [2, known(1, null), 'unknown'],
    [1, known(null, 1), 'past'],
    [2, known(null, 1), 'unknown'],
    [1, known(2, 1), 'past'],
    [2, known(2, 1), 'present'],
    [3, known(2, 1), 'unknown'],
  ] as const)('epoch %s beside %j: %s', (epoch, enrolments, standing) => {
    expect(standingOf({ table, epoch }, enrolments)).toBe(standing);
  });
});
