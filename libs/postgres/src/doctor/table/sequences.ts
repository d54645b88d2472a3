import { numberingOf } from '@meridian/core';
import { ident } from '../../catalog/quoting.js';
import { retyped, isRetypable, referringTo } from './column-type.js';
import type { Examined } from './examined.js';
import type { Cure, TableFinding } from './table-finding.js';
import type { UsedSequence } from './table-facts.js';

/** Of all that a sequence can give, in percent. */
const NEAR_END = 80n;
/** An enrolment leaves a region no fewer numbers than this (key-numbers.ts refuses it then). */
const LEAST_NUMBERS = 10_000n;

/** Sequences that have few numbers left, the more so when regions share them. */
export function sequences(examined: Examined): TableFinding[] {
  return examined.facts.sequences.flatMap((sequence) => {
    if (sequence.cyclic || BigInt(sequence.increment) < 0n) return [];
    return [...tooFewToShare(examined, sequence), ...nearEnd(examined, sequence)];
  });
}

function tooFewToShare(examined: Examined, sequence: UsedSequence): TableFinding[] {
  const { table, enrolled, regions } = examined;
  const keys = new Set([...table.keyColumns, ...table.indexes.flatMap((i) => i.columns)]);
  if (enrolled !== undefined || sequence.increment !== '1' || !keys.has(sequence.column)) return [];
  const { step } = numberingOf(regions);
  if (left(sequence) / BigInt(step) >= LEAST_NUMBERS) return [];
  return [
    {
      ...{ code: 'unsupported_key_sequence', severity: 'error', subject: subjectOf(examined, sequence) },
      message: `${sequence.name} has ${left(sequence)} numbers left up to ${sequence.max}: by steps of ${step} a region would have fewer than ${LEAST_NUMBERS}`,
      meaning: 'enrolling shares the numbers of keys between the regions, and is refused as long as this stands',
      cure: widening(examined, sequence),
    },
  ];
}

function nearEnd(examined: Examined, sequence: UsedSequence): TableFinding[] {
  const [min, max] = [BigInt(sequence.min), BigInt(sequence.max)];
  const used = ((max - min + 1n - left(sequence)) * 100n) / (max - min + 1n);
  if (used < NEAR_END) return [];
  return [
    {
      ...{ code: 'sequence_near_end', severity: 'warning', subject: subjectOf(examined, sequence) },
      message: `${sequence.name} has given ${used} % of its numbers, and ends at ${sequence.max}`,
      meaning: 'at its end no row can be inserted in this region any more; the others go on by their own sequences',
      cure: widening(examined, sequence),
    },
  ];
}

const subjectOf = ({ table }: Examined, { column }: UsedSequence): string => `${table.name}.${ident(column)}`;

const left = ({ last, min, max }: UsedSequence): bigint =>
  BigInt(max) - (last === null ? BigInt(min) - 1n : BigInt(last));

function widening(examined: Examined, { name, column, identity, max }: UsedSequence): Cure {
  const { table } = examined;
  const type = table.columns.find((c) => c.name === column)!.type;
  const text = 'in every region: a wider type for the column, what refers to it, and the sequence';
  if (type === 'bigint') return { text, sql: [`ALTER SEQUENCE ${name} AS bigint NO MAXVALUE`] };
  if (!isRetypable(examined, column) || BigInt(max) > BigInt(INTEGER_MAX)) return { text };
  return {
    text,
    sql: [
      retyped(table.name, column, 'bigint'),
      ...referringTo(examined, column).map((r) => retyped(r.table, r.column, 'bigint')),
      identity
        ? `ALTER TABLE ${table.name} ALTER COLUMN ${ident(column)} SET NO MAXVALUE`
        : `ALTER SEQUENCE ${name} AS bigint NO MAXVALUE`,
    ],
  };
}

const INTEGER_MAX = 2 ** 31 - 1;
