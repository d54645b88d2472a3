import { Refused, type ShownConflict } from '@meridian/core';
import type { Answer } from '../http/answer.js';

export const shownAnswer = ({ conflict, version }: ShownConflict): Answer => ({
  status: 200,
  headers: { ETag: `"${version}"` },
  body: conflict,
});

export const conflictNotFound = (): Refused =>
  new Refused('conflict_not_found', 'no conflict has this id in this region: GET /v1/conflicts lists them');
