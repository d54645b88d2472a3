/** A table whose rows are all written in both regions at once; one of each family of policies. */
export interface Family {
  readonly name: string;
  /** Type and default of the column that is written. */
  readonly column: string;
  readonly policy: object;
  /** What a region writes in one round. */
  readonly value: (region: string, round: number) => string;
  /** Does the overwritten write leave a record? */
  readonly recorded: boolean;
  /** The writes of the region that applies are in no tick yet: each is a race to be recorded (design 5). */
  readonly raced?: true;
}

const GREATEST = `export default (base, versions) => {
  let best = null;
  for (const { values } of versions) if (best === null || Number(values.v) > Number(best)) best = values.v;
  return { v: best };
}`;

const number = (region: string, round: number): string => `${round * 2 + Number(region === 'us')}`;
const text = (region: string, round: number): string => `'${region} wrote this in round ${round}: ' || id`;
const byHlc = { column: `text NOT NULL DEFAULT 'nobody wrote this yet'`, policy: {}, value: text, recorded: true };

export const families: readonly Family[] = [
  { name: 'hlc', ...byHlc },
  { name: 'hlc, writes in no tick yet', ...byHlc, raced: true },
  { name: 'hlc by row', ...byHlc, policy: { granularity: 'row' } },
  {
    name: 'max',
    column: 'int NOT NULL DEFAULT 0',
    policy: { columns: { v: 'max' } },
    value: number,
    recorded: true,
  },
  {
    name: 'counter',
    column: 'int NOT NULL DEFAULT 0',
    policy: { columns: { v: 'counter' } },
    value: () => 'v + 1',
    recorded: false,
  },
  {
    name: 'set',
    column: `text[] NOT NULL DEFAULT '{}'`,
    policy: { columns: { v: 'set' } },
    // One comes and one goes, so that the arrays stay as long as they are.
    value: (region, round) => `array_append(array_remove(v, '${region}${round - 1}'), '${region}${round}')`,
    recorded: false,
  },
  {
    name: 'map',
    column: `jsonb NOT NULL DEFAULT '{"city": "Oslo", "tags": ["a", "b"], "us": 0, "eu": 0}'`,
    policy: { columns: { v: 'map' } },
    value: (region, round) => `jsonb_set(v, '{${region}}', '${round}')`,
    recorded: false,
  },
  {
    name: 'map, one leaf',
    column: `jsonb NOT NULL DEFAULT '{"city": "Oslo", "tags": ["a", "b"], "us": 0, "eu": 0}'`,
    policy: { columns: { v: 'map' } },
    value: (region, round) => `jsonb_set(v, '{city}', '"${region}${round}"')`,
    recorded: true,
  },
  {
    name: 'merge function',
    column: 'int NOT NULL DEFAULT 0',
    policy: { columns: { v: { policy: 'merge:greatest', source: GREATEST, fallback: 'hlc' } } },
    value: number,
    recorded: false,
  },
];
