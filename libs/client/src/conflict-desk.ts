import { BulkAnswer, type BulkResolution, Conflict, type ConflictResolution, HEADERS } from '@meridian/contract';
import type { z } from 'zod';
import { restCall } from './rest-call.js';
import type { Session } from './session.js';

export interface Acting {
  /** The `version` of the conflict that was looked at: act only if it is still that one. */
  readonly version?: string;
  readonly note?: string;
}

/** Conflicts decided by hand, as somebody. Each call writes in the session: rows read next are the decided ones. */
export class ConflictDesk {
  constructor(
    private readonly base: string,
    private readonly session: Session,
    private readonly actor: string,
  ) {}

  resolve(id: string, resolution: ConflictResolution, { version }: Omit<Acting, 'note'> = {}): Promise<Conflict> {
    return this.#act(id, 'resolve', resolution, version);
  }

  /** Of an undecided conflict: what was overwritten goes back. Of a decided one: the row as before that decision. */
  undo(id: string, { version, note }: Acting = {}): Promise<Conflict> {
    return this.#act(id, 'undo', { note }, version);
  }

  reopen(id: string, { version, note }: Acting = {}): Promise<Conflict> {
    return this.#act(id, 'reopen', { note }, version);
  }

  assign(id: string, to: string | null): Promise<Conflict> {
    return this.#act(id, 'assign', { to });
  }

  /** ISO 8601. */
  snooze(id: string, until: string | null): Promise<Conflict> {
    return this.#act(id, 'snooze', { until });
  }

  note(id: string, note: string | null): Promise<Conflict> {
    return this.#act(id, 'note', { note });
  }

  /** One call's worth; `next` of the answer as `cursor` goes on. */
  async resolveAll(request: z.input<typeof BulkResolution>): Promise<BulkAnswer> {
    return BulkAnswer.parse(await this.#post('/v1/conflicts:resolve', request));
  }

  async #act(id: string, action: string, body: object, version?: string): Promise<Conflict> {
    return Conflict.parse(await this.#post(`/v1/conflicts/${encodeURIComponent(id)}/${action}`, body, version));
  }

  async #post(path: string, body: object, version?: string): Promise<unknown> {
    const headers = { [HEADERS.actor]: this.actor, ...(version === undefined ? {} : { 'if-match': `"${version}"` }) };
    const { text } = await restCall(this.base, this.session, {
      method: 'POST',
      path,
      body: JSON.stringify(body),
      headers,
    });
    return JSON.parse(text);
  }
}
