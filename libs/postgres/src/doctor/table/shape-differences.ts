import { areDisjoint, type RegionId } from '@meridian/core';
import { ident } from '../../catalog/quoting.js';
import type { Cure, TableFinding } from './table-finding.js';
import type { ShapedColumn, ShapedTrigger, TableShape } from './table-shape.js';

/** A table in one region. */
export interface Regional {
  readonly region: RegionId;
  readonly shape: TableShape;
}

/** How the table in another region is not what it is here, with the statements that make it so there. */
export function shapeDifferences(here: Regional, there: Regional): TableFinding[] {
  return [
    ...columnDifferences(here, there),
    ...constraintDifferences(here, there),
    ...triggerDifferences(here, there),
    ...meetingSequences(here, there),
    ...enrolledDifferently(here, there),
  ];
}

const subjectOf = ({ shape, region }: Regional, column?: string): string =>
  `${shape.name}${column === undefined ? '' : `.${ident(column)}`} in ${region}`;

const asHere = (here: Regional, there: Regional, sql: readonly string[]): Cure => ({
  ...{ text: `in ${there.region}, to have it there as it is in ${here.region}`, sql },
});

function columnDifferences(here: Regional, there: Regional): TableFinding[] {
  const columns = new Map(there.shape.columns.map((c) => [c.name, c]));
  const alter = `ALTER TABLE ${there.shape.name}`;
  const extra = there.shape.columns.filter((c) => !here.shape.columns.some((h) => h.name === c.name));
  return [
    ...here.shape.columns.flatMap((column) => {
      const other = columns.get(column.name);
      if (other !== undefined) return columnDiffers(here, there, column, other);
      return [columnMissing(here, there, column)];
    }),
    ...extra.map((column) => ({
      ...DIFFERENT,
      subject: subjectOf(there, column.name),
      message: `${there.region} has this column, and ${here.region} has not`,
      cure: asHere(here, there, [`${alter} DROP COLUMN ${ident(column.name)}`]),
    })),
  ];
}

const DIFFERENT = {
  code: 'columns_differ',
  severity: 'error',
  meaning:
    'a change that sets it cannot be applied where it is otherwise: enrolling is refused, and changes of an enrolled table wait',
} as const;

function columnMissing(
  here: Regional,
  there: Regional,
  { name, type, notNull, generated, ...more }: ShapedColumn,
): TableFinding {
  const value = generated === null ? (more.default === null ? '' : ` DEFAULT ${more.default}`) : stored(generated);
  const definition = `${ident(name)} ${type}${value}${notNull ? ' NOT NULL' : ''}`;
  return {
    ...DIFFERENT,
    subject: subjectOf(there, name),
    message: `${here.region} has this column, and ${there.region} has not`,
    cure: asHere(here, there, [`ALTER TABLE ${there.shape.name} ADD COLUMN ${definition}`]),
  };
}

const stored = (expression: string): string => ` GENERATED ALWAYS AS (${expression}) STORED`;

function columnDiffers(here: Regional, there: Regional, ours: ShapedColumn, theirs: ShapedColumn): TableFinding[] {
  const found: TableFinding[] = [];
  const alter = `ALTER TABLE ${there.shape.name} ALTER COLUMN ${ident(ours.name)}`;
  const subject = subjectOf(there, ours.name);
  const told = (a: string, b: string): string => `${here.region} has ${a}, ${there.region} has ${b}`;
  if (ours.type !== theirs.type)
    found.push({
      ...{ ...DIFFERENT, subject, message: told(ours.type, theirs.type) },
      cure: asHere(here, there, [`${alter} TYPE ${ours.type} USING ${ident(ours.name)}::${ours.type}`]),
    });
  if (ours.notNull !== theirs.notNull)
    found.push({
      ...{ ...DIFFERENT, subject, message: told(nullness(ours), nullness(theirs)) },
      cure: asHere(here, there, [`${alter} ${ours.notNull ? 'SET' : 'DROP'} NOT NULL`]),
    });
  if (ours.generated !== theirs.generated) found.push(generatedDiffers(here, there, ours, theirs));
  else if (ours.default !== theirs.default)
    found.push({
      ...{ code: 'defaults_differ', severity: 'warning', subject },
      message: `its default: ${told(ours.default ?? 'none', theirs.default ?? 'none')}`,
      meaning:
        'a row has the default of the region where it was written, everywhere: what a writer leaves out depends on the region that he asks',
      cure: asHere(here, there, [`${alter} ${ours.default === null ? 'DROP DEFAULT' : `SET DEFAULT ${ours.default}`}`]),
    });
  return found;
}

const nullness = ({ notNull }: ShapedColumn): string => (notNull ? 'NOT NULL' : 'no NOT NULL');

/** From this version on an expression can be replaced. */
const SET_EXPRESSION = 170_000;

function generatedDiffers(here: Regional, there: Regional, ours: ShapedColumn, theirs: ShapedColumn): TableFinding {
  const alter = `ALTER TABLE ${there.shape.name}`;
  const column = ident(ours.name);
  const add = `${alter} ADD COLUMN ${column} ${ours.type}${ours.generated === null ? '' : stored(ours.generated)}`;
  const replaces = ours.generated !== null && theirs.generated !== null && there.shape.version >= SET_EXPRESSION;
  return {
    ...{ code: 'generated_columns_differ', severity: 'error', subject: subjectOf(there, ours.name) },
    message: `it is computed: in ${here.region} as ${ours.generated ?? 'nothing'}, in ${there.region} as ${theirs.generated ?? 'nothing'}`,
    meaning:
      'generated values do not travel, each region computes them: the same row then differs between regions, and nothing tells of it',
    cure: asHere(
      here,
      there,
      replaces
        ? [`${alter} ALTER COLUMN ${column} SET EXPRESSION AS (${ours.generated})`]
        : [`${alter} DROP COLUMN ${column}`, add],
    ),
  };
}

/** What only one of two regions has; the same name in both with another content is one difference. */
function unlike<T extends { readonly name: string }>(
  ours: readonly T[],
  theirs: readonly T[],
  contentOf: (of: T) => string,
): { readonly ours: T | null; readonly theirs: T | null }[] {
  const [here, there] = [new Set(ours.map(contentOf)), new Set(theirs.map(contentOf))];
  const onlyThere = theirs.filter((t) => !here.has(contentOf(t)));
  const onlyHere = ours.filter((o) => !there.has(contentOf(o)));
  const pairs = onlyHere.map((o) => ({ ours: o, theirs: onlyThere.find((t) => t.name === o.name) ?? null }));
  const rest = onlyThere.filter((t) => !pairs.some((pair) => pair.theirs === t));
  return [...pairs, ...rest.map((t) => ({ ours: null, theirs: t }))];
}

function constraintDifferences(here: Regional, there: Regional): TableFinding[] {
  return unlike(here.shape.constraints, there.shape.constraints, (c) => c.rule).map(({ ours, theirs }) => ({
    ...{ code: 'constraints_differ', severity: 'error', subject: subjectOf(there) },
    message: `${here.region} has ${ours?.rule ?? `no ${theirs!.rule}`}, ${there.region} has ${theirs?.rule ?? `no ${ours!.rule}`}`,
    meaning:
      'a row of one region could be refused in another, or decided by a rule that the others do not know: enrolling is refused for keys, and what does not fit waits',
    cure: asHere(here, there, [...(theirs === null ? [] : [theirs.drop]), ...(ours === null ? [] : [ours.add])]),
  }));
}

function triggerDifferences(here: Regional, there: Regional): TableFinding[] {
  const contentOf = (t: ShapedTrigger): string => `${t.enabled} ${t.definition}`;
  return unlike(here.shape.triggers, there.shape.triggers, contentOf).map(({ ours, theirs }) => ({
    ...{ code: 'triggers_differ', severity: 'warning', subject: subjectOf(there) },
    message: `${here.region} has ${ours?.definition ?? `no trigger ${ident(theirs!.name)}`}, ${there.region} has ${theirs?.definition ?? `no trigger ${ident(ours!.name)}`}`,
    meaning:
      'triggers fire in the region where a row is written: the same statement does one thing in one region, and another in the other',
    cure: {
      text: `in ${there.region}, to have it there as it is in ${here.region}${ours === null ? '' : '; the function that it calls has to be there'}`,
      sql: [
        ...(theirs === null ? [] : [`DROP TRIGGER ${ident(theirs.name)} ON ${there.shape.name}`]),
        ...(ours === null ? [] : [ours.definition, ...enabling(there, ours)]),
      ],
    },
  }));
}

const HOW_ENABLED: Readonly<Record<string, string>> = { A: 'ENABLE ALWAYS', R: 'ENABLE REPLICA' };

const enabling = ({ shape }: Regional, { name, enabled }: ShapedTrigger): string[] => {
  const how = HOW_ENABLED[enabled];
  return how === undefined ? [] : [`ALTER TABLE ${shape.name} ${how} TRIGGER ${ident(name)}`];
};

/** Those that count by 1 are given numbers of their own when the table is enrolled. */
function meetingSequences(here: Regional, there: Regional): TableFinding[] {
  return here.shape.sequences.flatMap((ours) =>
    there.shape.sequences
      .filter((theirs) => theirs.column === ours.column && ours.increment !== '1' && theirs.increment !== '1')
      .filter((theirs) => !areDisjoint(ours, theirs))
      .map((theirs) => ({
        ...{ code: 'key_sequences_meet', severity: 'error' as const, subject: subjectOf(there, ours.column) },
        message: `${ours.sequence} gives ${ours.next} in ${here.region}, ${theirs.sequence} ${theirs.next} in ${there.region}, and on by ${ours.increment} and ${theirs.increment}: they come to the same numbers`,
        meaning:
          'two regions would give new rows the same key, and one key is one row everywhere: enrolling is refused',
        cure: {
          text: `in ${here.region} and ${there.region}: enrolling then gives each its own numbers`,
          sql: [`ALTER SEQUENCE ${ours.sequence} INCREMENT BY 1`],
        },
      })),
  );
}

function enrolledDifferently(here: Regional, there: Regional): TableFinding[] {
  if (here.shape.epoch === there.shape.epoch) return [];
  const told = ({ region, shape }: Regional): string =>
    shape.epoch === null ? `${region} has it not enrolled` : `${region} has it enrolled under epoch ${shape.epoch}`;
  return [
    {
      ...{ code: 'enrolled_differently', severity: 'error', subject: subjectOf(there) },
      message: `${told(here)}, ${told(there)}`,
      meaning:
        'an enrolment was cut off in between: changes of the table wait, or are not captured, until the regions agree',
      cure: {
        text: `enrol it again, in any region: PUT /v1/tables/${encodeURIComponent(here.shape.name)} with its policy`,
      },
    },
  ];
}
