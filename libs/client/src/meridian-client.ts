import {
  Cluster,
  Conflict,
  type ConflictQuery,
  Conflicts,
  EnrolledTable,
  EnrolmentAnswer,
  EnrolledTables,
  Health,
  type TablePolicyInput,
  TxResponse,
  Visibility,
} from '@meridian/contract';
import type { z } from 'zod';
import { MeridianError } from './api-error.js';
import { ConflictDesk } from './conflict-desk.js';
import { type Call, restCall } from './rest-call.js';
import { type RowOptions, Rows } from './rows.js';
import { Session } from './session.js';

/**
 * One region's REST interface. Calls on rows are one session: each sees what the ones before it saw or wrote. Other calls
 * carry no token.
 */
export class MeridianClient {
  constructor(
    readonly base: string,
    readonly session: Session = new Session(),
  ) {}

  rows<Row extends object = Record<string, unknown>>(table: string): Rows<Row> {
    return new Rows<Row>(this.base, this.session, table);
  }

  /** `actor`: who decides; kept with each decision. */
  desk(actor: string): ConflictDesk {
    return new ConflictDesk(this.base, this.session, actor);
  }

  /** Several writes, one transaction; see the contract's TxRequest. */
  async transaction(
    operations: readonly object[],
    options: RowOptions & { readonly representation?: boolean } = {},
  ): Promise<TxResponse> {
    const body = JSON.stringify({ operations, return: options.representation === true ? 'representation' : 'minimal' });
    const headers = options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey };
    const { text } = await restCall(this.base, this.session, { method: 'POST', path: '/v1/tx', body, headers });
    return TxResponse.parse(JSON.parse(text));
  }

  cluster = (): Promise<Cluster> => this.#get(Cluster, '/v1/cluster');
  tables = (): Promise<EnrolledTables> => this.#get(EnrolledTables, '/v1/tables');
  table = (name: string): Promise<EnrolledTable> => this.#get(EnrolledTable, `/v1/tables/${encodeURIComponent(name)}`);
  conflict = (id: string): Promise<Conflict> => this.#get(Conflict, `/v1/conflicts/${encodeURIComponent(id)}`);
  conflicts = (query: Partial<ConflictQuery> = {}): Promise<Conflicts> => this.#get(Conflicts, '/v1/conflicts', query);
  visibility = (token: string): Promise<Visibility> => this.#get(Visibility, '/v1/visibility', { token });

  async enrol(name: string, policy: TablePolicyInput = {}): Promise<EnrolmentAnswer> {
    const call: Call = { method: 'PUT', path: `/v1/tables/${encodeURIComponent(name)}`, body: JSON.stringify(policy) };
    return EnrolmentAnswer.parse(JSON.parse((await restCall(this.base, null, call)).text));
  }

  async removeTable(name: string): Promise<void> {
    await restCall(this.base, null, { method: 'DELETE', path: `/v1/tables/${encodeURIComponent(name)}` });
  }

  /** Answers also when the region is not ready: the checks say why. Null: nothing answers there. */
  async ready(): Promise<Health | null> {
    const response = await fetch(new URL('/readyz', this.base)).catch(() => null);
    return response === null ? null : Health.parse(await response.json());
  }

  async #get<S extends z.ZodType>(
    schema: S,
    path: string,
    query: NonNullable<Call['query']> = {},
  ): Promise<z.output<S>> {
    const { text } = await restCall(this.base, null, { method: 'GET', path, query });
    const answer = schema.safeParse(JSON.parse(text));
    if (!answer.success)
      throw new MeridianError(
        'not_meridian',
        `${this.base}${path} answered what this client does not know: ${answer.error.message}`,
      );
    return answer.data;
  }
}
