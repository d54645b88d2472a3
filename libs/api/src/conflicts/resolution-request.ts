import { ConflictResolution } from '@meridian/contract';
import type { Resolving } from '@meridian/core';
import { member, parseJsonText } from '../body/json-text.js';
import { rowBody, singleRow } from '../body/row-body.js';
import { ApiProblem } from '../http/api-problem.js';
import { checked } from '../http/document.pipe.js';

/** Values go to PostgreSQL from the body's text, so that it gets every digit of them. */
export function resolutionOf(text: string): Resolving {
  const root = parseJsonText(text);
  const resolution = checked(ConflictResolution, JSON.parse(text));
  const note = resolution.note ?? null;
  switch (resolution.strategy) {
    case 'accept':
      return { choice: { kind: 'accept' }, note };
    case 'version':
      return { choice: { kind: 'version', ...versionOf(resolution) }, note };
    case 'value': {
      const { columns, values } = singleRow(rowBody(text, member(root, 'value')!));
      if (columns.length === 0) throw new ApiProblem('bad_body', '"value" names no column to write');
      return { choice: { kind: 'value', columns, json: values }, note };
    }
  }
}

function versionOf({ version, columns }: Extract<ConflictResolution, { strategy: 'version' }>) {
  const choice =
    typeof version === 'number'
      ? ({ kind: 'index', index: version } as const)
      : ({ kind: 'change', ...version } as const);
  return { version: choice, columns: columns ?? null };
}
