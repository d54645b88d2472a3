import { Inject, Injectable } from '@nestjs/common';
import type { PolicyPreview, PolicyPreviewRequest } from '@meridian/contract';
import {
  type ConflictRecord,
  NOT_REPLAYED,
  parseTableName,
  Refused,
  replayConflict,
  type Replayed,
  type TableSpec,
} from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';

const MOST_SHOWN = 100;
const MOST_EXAMPLES = 5;

/** What recorded conflicts would have come to under another policy. Nothing is changed. */
@Injectable()
export class PolicyPreviewService {
  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  async preview({ table, policy, since, limit }: PolicyPreviewRequest): Promise<PolicyPreview> {
    // How the regions' rows are made equal is no part of what decides.
    const { initial: _initial, ...document } = policy;
    const specs = await this.ports.policyTrial.specs(parseTableName(table), document);
    if (specs === null)
      throw new Refused('table_not_enrolled', `${table} is not enrolled: GET /v1/tables lists those that are`, {
        table,
      });
    if (specs.kind === 'refused')
      throw new ApiProblem('policy_refused', specs.reasons.map((r) => `${r.detail} — ${r.cure}`).join('; '), {
        ...{ table, reasons: specs.reasons },
      });
    const tally = new Tally(specs.present, specs.other, limit);
    // One more than is looked at: whether there are more is then known.
    for await (const page of this.ports.policyTrial.records(specs.present.name, since, limit + 1))
      for (const record of page) tally.add(record);
    return tally.result();
  }
}

class Tally {
  private looked = 0;
  private more = false;
  private same = 0;
  private different = 0;
  private readonly items: PolicyPreview['items'] = [];
  private readonly notReplayed = new Map<keyof typeof NOT_REPLAYED, { count: number; examples: string[] }>();

  constructor(
    private readonly present: TableSpec,
    private readonly other: TableSpec,
    private readonly limit: number,
  ) {}

  add(record: ConflictRecord): void {
    if (this.looked === this.limit) this.more = true;
    else this.count(record, replayConflict(record, this.present, this.other));
  }

  private count(record: ConflictRecord, replayed: Replayed): void {
    this.looked++;
    switch (replayed.kind) {
      case 'same':
        this.same++;
        return;
      case 'different':
        this.different++;
        this.show(record, replayed);
        return;
      case 'not replayed': {
        const told = this.notReplayed.get(replayed.because) ?? { count: 0, examples: [] };
        told.count++;
        if (told.examples.length < MOST_EXAMPLES) told.examples.push(record.id);
        this.notReplayed.set(replayed.because, told);
      }
    }
  }

  private show({ id, key }: ConflictRecord, replayed: Extract<Replayed, { kind: 'different' }>): void {
    if (this.items.length === MOST_SHOWN) return;
    const { columns, present, other } = replayed;
    this.items.push({ id, key: JSON.parse(key) as string[], columns: [...columns], present, other });
  }

  result(): PolicyPreview {
    const { looked, more, same, different, items } = this;
    const reasons = [...this.notReplayed].map(([code, told]) => ({ code, detail: NOT_REPLAYED[code], ...told }));
    const notReplayed = reasons.reduce((sum, { count }) => sum + count, 0);
    return { table: this.present.name, looked, more, same, different, items, notReplayed, reasons };
  }
}
