import type { TableName } from '@meridian/core';
import { ident } from '../../catalog/quoting.js';
import type { Examined } from './examined.js';
import type { TableFinding } from './table-finding.js';
import type { UserTrigger } from './table-facts.js';

/** Other tables that the triggers of this one write to, by trigger name: as far as their text tells. */
export type TriggerWrites = ReadonlyMap<string, readonly TableName[]>;

/** Apply writes as a replica: ordinary triggers do not fire for what arrives, those made for replicas do. */
export function triggers(examined: Examined, writes: TriggerWrites): TableFinding[] {
  return examined.facts.triggers.map((trigger) => {
    const others = writes.get(trigger.name) ?? [];
    return trigger.enabled === 'O' ? ordinary(trigger, others, examined) : onApplied(trigger, others, examined);
  });
}

function onApplied(trigger: UserTrigger, others: readonly TableName[], { enrolledTables }: Examined): TableFinding {
  const shared = others.filter((name) => enrolledTables.has(name));
  const again = trigger.enabled === 'A';
  return {
    code: again ? 'trigger_fires_again' : 'trigger_fires_on_applied_rows_only',
    severity: trigger.changesRows || shared.length > 0 ? 'error' : 'warning',
    subject: subjectOf(trigger),
    message: again
      ? `it is ENABLE ALWAYS: it fires where a row is written, and once more in every region where the change is applied`
      : `it is ENABLE REPLICA: it fires where a change is applied, and not where a row is written`,
    meaning: whatItDoes(trigger, shared, others),
    cure: {
      text: 'let it fire where rows are written, and nowhere else, in every region',
      sql: [`ALTER TABLE ${trigger.relation} ENABLE TRIGGER ${ident(trigger.name)}`],
    },
  };
}

function whatItDoes(trigger: UserTrigger, shared: readonly TableName[], others: readonly TableName[]): string {
  if (trigger.changesRows)
    return 'it may change the row that is being applied: the regions then hold different rows, and nothing tells of it';
  if (shared.length > 0)
    return `what it writes to ${shared.join(', ')} arrives from the region of the write already, and is then there twice; what it writes while a change is applied is not captured`;
  if (others.length > 0) return `it writes to ${others.join(', ')} in each region by itself`;
  return 'what it does is done in each region that a change reaches, and is not captured there';
}

function ordinary(trigger: UserTrigger, others: readonly TableName[], { enrolledTables }: Examined): TableFinding {
  const local = others.filter((name) => !enrolledTables.has(name));
  const subject = subjectOf(trigger);
  if (local.length > 0)
    return {
      ...{ code: 'trigger_writes_unreplicated', severity: 'warning', subject },
      message: `it writes to ${local.join(', ')}, which ${local.length === 1 ? 'is' : 'are'} not enrolled`,
      meaning: 'it does not fire for changes that arrive, so what it writes is in the region of the write alone',
      cure: {
        text: `enrol what it writes to: ${local.map((t) => `PUT /v1/tables/${encodeURIComponent(t)}`).join(', ')}`,
      },
    };
  return {
    ...{ code: 'trigger_fires_once', severity: 'info', subject },
    message: 'it fires in the region where a row is written, and not where the change is applied',
    meaning: `what it changes in the row, or writes to enrolled tables${others.length === 0 ? '' : ` (${others.join(', ')})`}, travels; messages that it sends (NOTIFY) reach listeners of that region alone`,
    cure: { text: 'nothing has to be done; who has to hear of every change in every region follows GET /v1/changes' },
  };
}

const subjectOf = ({ relation, name }: UserTrigger): string => `${relation} trigger ${ident(name)}`;
