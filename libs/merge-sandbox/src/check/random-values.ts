import type { Random } from './random.js';

type Values = (random: Random) => string;

const from =
  (...texts: readonly string[]): Values =>
  (random) =>
    random.pick(texts);

const digits = (random: Random): string => String(random.below(2_000) - 1_000);
const two = (n: number): string => String(n).padStart(2, '0');
const date = (random: Random): string =>
  `202${random.below(10)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`;
const time = (random: Random): string =>
  `${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}.${random.below(999_999) + 1}`;
const sometimes =
  (rarely: Values, mostly: Values): Values =>
  (random) =>
    (random.below(5) === 0 ? rarely : mostly)(random);

const WORDS = ['red', 'green', 'Blue.', 'a longer sentence.', 'É', '', ' ', 'x, y; z', '日本', '1', '10', '9'];
const sentence = (random: Random): string =>
  Array.from({ length: random.below(4) }, () => random.pick(WORDS)).join(' ');

function jsonObject(random: Random): string {
  const entries = Array.from({ length: random.below(4) }, () => [
    random.pick(['a', 'b', 'c']),
    random.pick(JSON_LEAVES),
  ]);
  return `{${[...new Map(entries as [string, string][])].map(([key, value]) => `"${key}": ${value}`).join(', ')}}`;
}
const JSON_LEAVES = ['1', '2', '"x"', 'null', 'true', '[1, 2]', '{"a": 1}', '{"b": [3]}'];

const whole = (largest: string): Values => sometimes(from('0', largest, `-${largest}`), digits);
const arrayOf =
  (element: Values): Values =>
  (random) =>
    `{${Array.from({ length: random.below(4) }, () => `"${element(random).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;

/** As PostgreSQL writes them; by what `format_type` calls the type, without what stands in parentheses. */
const OF_TYPE: { readonly [type: string]: Values } = {
  smallint: whole('32767'),
  integer: whole('2147483647'),
  bigint: whole('9223372036854775807'),
  numeric: sometimes(
    from('NaN', '0.10', '0.1', '123456789012345678901234567890.5'),
    (r) => `${digits(r)}.${r.below(100)}`,
  ),
  real: sometimes(from('NaN', 'Infinity', '-0', '1e-30'), digits),
  'double precision': sometimes(from('NaN', 'Infinity', '-0', '1e+300'), digits),
  boolean: from('t', 'f'),
  date: sometimes(from('infinity', '0044-03-15 BC'), date),
  'timestamp without time zone': sometimes(from('infinity', '-infinity'), (r) => `${date(r)} ${time(r)}`),
  'timestamp with time zone': sometimes(from('infinity', '-infinity'), (r) => `${date(r)} ${time(r)}+00`),
  uuid: (r) => `0190a0b0-0000-7000-8000-00000000000${r.below(10)}`,
  json: jsonObject,
  jsonb: jsonObject,
  text: sentence,
  'character varying': sentence,
  character: sentence,
};

/** Null when nothing is known of the type: then only values that the table has held will do. */
export function valuesOfType(type: string): Values | null {
  const bare = type.replace(/\(.*?\)/, '').replace(/(\[\])+$/, '');
  const values = Object.hasOwn(OF_TYPE, bare) ? OF_TYPE[bare]! : null;
  return values !== null && type.endsWith('[]') ? arrayOf(values) : values;
}
