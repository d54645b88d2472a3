import { Inject, Injectable } from '@nestjs/common';
import { HEADERS } from '@meridian/contract';
import { ANY_ETAG, type ConflictDesk, type Operator, type ShownConflict } from '@meridian/core';
import { type DataRequest, refusePrecondition } from '../data/data-request.js';
import type { Answer } from '../http/answer.js';
import { API_PORTS } from '../options.js';
import type { ApiPorts } from '../ports.js';
import { SessionService } from '../session/session.service.js';
import { conflictNotFound, shownAnswer } from './conflict-answer.js';

/** An action on one conflict: session in, one transaction, session out. */
@Injectable()
export class ConflictActionsService {
  constructor(
    @Inject(API_PORTS) private readonly ports: ApiPorts,
    private readonly sessions: SessionService,
  ) {}

  async act(
    id: string,
    request: DataRequest,
    action: (desk: ConflictDesk, operator: Operator) => Promise<ShownConflict>,
  ): Promise<Answer> {
    if (id.includes('\0')) throw conflictNotFound();
    return this.writing(request, async () => {
      const { actor, application } = request;
      const version = request.etag === ANY_ETAG ? null : request.etag;
      return shownAnswer(await action(this.ports.desk, { actor, application, version }));
    });
  }

  async writing(request: DataRequest, write: () => Promise<Answer>): Promise<Answer> {
    refusePrecondition(request.unlessEtag, 'If-None-Match', 'with a read');
    refusePrecondition(
      request.idempotencyKey,
      HEADERS.idempotencyKey,
      'with /v1/data and /v1/tx; here If-Match catches a retry',
    );
    const seen = await this.sessions.enter(request);
    const done = await write();
    this.ports.relaying.written();
    return { ...done, headers: { ...done.headers, [HEADERS.session]: await this.sessions.leaveWrite(seen) } };
  }
}
