import { type Numbering, type RegionId, regionId, type TableName, type TableRef } from '@meridian/core';
import type { GivenEpochs, KeySequence, NumberingOutcome, RowHash, TableStanding } from '@meridian/postgres';
import type { PeerAnswer, PeerCall, PeerClient } from '@meridian/transport';
import { z } from 'zod';
import type { LocalParticipant, Participant, PrepareOutcome, Problem } from './participant.js';

const ENROLMENT_PATH = '/v1/replication/enrolment';

/** Another region's part, over signed calls. */
export class PeerParticipant implements Participant {
  constructor(
    readonly region: RegionId,
    private readonly client: PeerClient,
  ) {}

  standing(table: TableRef, policy: unknown): Promise<TableStanding | null> {
    return this.call('standing', { table, policy });
  }

  prepare(table: TableRef, policy: unknown, epochs: GivenEpochs): Promise<PrepareOutcome> {
    return this.call('prepare', { table, policy, epochs });
  }

  examples(id: string, buckets: readonly number[]): Promise<readonly RowHash[]> {
    return this.call('examples', { id, buckets });
  }

  copyFrom(id: string, from: RegionId, fromId: string): Promise<string> {
    return this.call('copy', { id, from, fromId });
  }

  async page(id: string): Promise<string | null> {
    return this.call('page', { id });
  }

  numberKeys(id: string, numbering: Numbering, others: readonly KeySequence[]): Promise<NumberingOutcome> {
    return this.call('number', { id, numbering, others });
  }

  commit(id: string): Promise<void> {
    return this.call('commit', { id });
  }

  rollback(id: string): Promise<void> {
    return this.call('rollback', { id });
  }

  remove(table: TableName, upTo: number): Promise<readonly Problem[]> {
    return this.call('remove', { table, upTo });
  }

  private async call<T>(step: string, body: object): Promise<T> {
    const { status, body: answer } = await this.client.call(this.region, 'POST', `${ENROLMENT_PATH}/${step}`, body);
    if (status !== 200)
      throw new Error(`${this.region}: ${(answer as { detail?: string } | null)?.detail ?? `status ${status}`}`);
    return answer as T;
  }
}

const Table = z.strictObject({ schema: z.string().min(1), name: z.string().min(1) });
const Held = z.strictObject({ id: z.string() });
const Region = z.string().transform(regionId);
const Decimal = z.string().regex(/^-?\d{1,40}$/);
const Sequence = z.strictObject({
  ...{ column: z.string(), sequence: z.string() },
  ...{ min: Decimal, max: Decimal, increment: Decimal, next: Decimal, last: Decimal },
});
const Bodies = {
  standing: z.strictObject({ table: Table, policy: z.unknown() }),
  prepare: z.strictObject({
    table: Table,
    policy: z.unknown(),
    epochs: z.strictObject({ epoch: z.int(), ended: z.int() }),
  }),
  remove: z.strictObject({ table: z.string().min(1), upTo: z.int().min(1) }),
  examples: z.strictObject({ id: z.string(), buckets: z.array(z.int().min(0)) }),
  copy: z.strictObject({ id: z.string(), from: z.string(), fromId: z.string() }),
  number: z.strictObject({
    id: z.string(),
    numbering: z.strictObject({ step: z.int().min(1), regions: z.array(Region) }),
    others: z.array(Sequence),
  }),
};

/** The called side. Peers are known by their signature, their input is checked all the same. */
export async function answerEnrolmentCall(local: LocalParticipant, call: PeerCall): Promise<PeerAnswer> {
  const ok = (body: unknown): PeerAnswer => ({ status: 200, body: body ?? null });
  switch (call.path.slice(ENROLMENT_PATH.length + 1)) {
    case 'standing': {
      const { table, policy } = Bodies.standing.parse(call.body);
      return ok(await local.standing(table, policy));
    }
    case 'prepare': {
      const { table, policy, epochs } = Bodies.prepare.parse(call.body);
      return ok(await local.prepare(table, policy, epochs));
    }
    case 'examples': {
      const { id, buckets } = Bodies.examples.parse(call.body);
      return ok(await local.examples(id, buckets));
    }
    case 'copy': {
      const { id, from, fromId } = Bodies.copy.parse(call.body);
      return ok(await local.copyFrom(id, from as RegionId, fromId));
    }
    case 'page':
      return ok(await local.page(Held.parse(call.body).id));
    case 'number': {
      const { id, numbering, others } = Bodies.number.parse(call.body);
      return ok(await local.numberKeys(id, numbering, others));
    }
    case 'commit':
      return ok(await local.commit(Held.parse(call.body).id));
    case 'rollback':
      return ok(await local.rollback(Held.parse(call.body).id));
    case 'remove': {
      const { table, upTo } = Bodies.remove.parse(call.body);
      return ok(await local.remove(table as TableName, upTo));
    }
    default:
      return { status: 404, body: { code: 'unknown_call', detail: `${call.path} is no call of this version` } };
  }
}
