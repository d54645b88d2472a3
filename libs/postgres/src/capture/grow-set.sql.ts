import { ident, literal } from '../catalog/quoting.js';
import { type CaptureTarget } from './capture-target.js';
import { keysJoin } from './expressions.js';

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
