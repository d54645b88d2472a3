import { OUTPUT_SETTINGS, settingsFor } from '../catalog/output-settings.js';
import { literal } from '../catalog/quoting.js';
import { whenAltered } from './altered.sql.js';
import { type Captured, type CaptureTarget, functionName, isNumbered, shippedColumns } from './capture-target.js';

/**
 * The frame of every capture function. SECURITY DEFINER: a writer needs no right on schema meridian. The stamp is taken once
 * per statement: the clock, or one more than the last given out or applied. The low 16 bits hold the clock's microseconds
 * (65 to each), so that stamps of one millisecond still follow the clock. Plain assignments, for each costs a tenth of a query.
 * What the apply role writes is left out: by session_user, which neither a cascade (it runs as the table's owner) nor a setting
 * changes; and here, not by WHEN on the trigger, whose expression PostgreSQL sets up anew for every statement (7 us of 150).
 */
export function captureFunction(
  target: CaptureTarget,
  op: Captured,
  body: string,
  variables: readonly string[] = [],
): string {
  const numbered = isNumbered(target) && op !== 'truncate';
  const declared = [...(numbered ? ['number bigint'] : []), ...variables].map((v) => `\n  ${v};`).join('');
  const number = numbered ? '\n  number := meridian.pop_statement(TG_RELID, TG_OP);' : '';
  return /* sql */ `CREATE OR REPLACE FUNCTION ${functionName(target.spec.name, op)}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''${pinned(target)} AS $capture$
#variable_conflict use_variable
<<capture>>
DECLARE
  clock bigint;
  now_stamp bigint;
  stamp bigint;
  actor text;
  output json;${declared}
BEGIN
  IF session_user = ${literal(target.applyRole)} THEN
    RETURN NULL;
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp := nextval('meridian.stamp');
  actor := coalesce(nullif(current_setting('meridian.actor', true), ''), session_user) || E'\\t' ||
           coalesce(nullif(current_setting('meridian.application', true), ''), current_setting('application_name'));${number}
  IF stamp < now_stamp THEN
    stamp := setval('meridian.stamp', now_stamp);
  END IF;
${whenAltered(target, op)}
${body}
  RETURN NULL;
END
$capture$`;
}

const pinned = (target: CaptureTarget): string =>
  settingsFor(shippedColumns(target))
    .map((setting) => ` SET ${setting} = ${literal(OUTPUT_SETTINGS[setting])}`)
    .join('');

/** The columns that every logged change fills, and their values but those that differ by operation. */
export const LOGGED = 'origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before';
export const logged = (target: CaptureTarget, names: Names = VARIABLES): string =>
  `${literal(target.region)}, ${literal(target.spec.name)}, ${names.stamp}, ${target.spec.epoch}, ${names.actor}, ${isNumbered(target) ? names.number : 'NULL'}`;

/** How the statement's own values are called: by the function's variables, or by parameters where SQL is made at run time. */
export interface Names {
  readonly stamp: string;
  readonly actor: string;
  readonly number: string;
}
const VARIABLES: Names = { stamp: 'stamp', actor: 'actor', number: 'number' };
