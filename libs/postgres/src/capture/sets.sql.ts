import { ident, literal } from '../catalog/quoting.js';
import { type CaptureTarget } from './capture-target.js';
import { keysJoin } from './expressions.js';

/** The elements of a set are told apart by their texts: an array in an array has none of its own. */
export function oneDimension(target: CaptureTarget): string {
  const sets = target.spec.registers.filter((r) => r.policy.kind === 'set' || r.policy.kind === 'grow-set');
  return sets
    .flatMap((r) => r.columns)
    .map((name) => flat(target, name))
    .join('');
}

function flat(target: CaptureTarget, name: string): string {
  const message = `"${name}" of ${target.spec.name} is a set, and an array of arrays is none: write an array of one dimension`;
  return `IF EXISTS (SELECT FROM new_rows n WHERE array_ndims(n.${ident(name)}) > 1) THEN
    RAISE EXCEPTION USING MESSAGE = ${literal(message)}, ERRCODE = 'check_violation';
  END IF;
  `;
}

/** A grow-set takes elements in only: who takes one out is told, for in the other regions it would still be there. */
export function growSetsKept(target: CaptureTarget): string {
  const growing = target.spec.registers.filter((r) => r.policy.kind === 'grow-set').flatMap((r) => r.columns);
  return growing.map((name) => kept(target, name)).join('');
}

/** By the elements' texts: a type of elements need have no equality. */
function kept(target: CaptureTarget, name: string): string {
  const elements = (row: 'o' | 'n'): string => `SELECT e::text FROM unnest(${row}.${ident(name)}) e`;
  const message = `"${name}" of ${target.spec.name} is a grow-set, and an element would be taken out: give the column the policy set to allow it`;
  return `IF EXISTS (SELECT FROM old_rows o JOIN new_rows n ON ${keysJoin(target, 'o', 'n')}
              WHERE EXISTS (${elements('o')} EXCEPT ${elements('n')})) THEN
    RAISE EXCEPTION USING MESSAGE = ${literal(message)}, ERRCODE = 'check_violation';
  END IF;
  `;
}
