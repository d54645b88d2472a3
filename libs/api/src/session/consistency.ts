import { clip } from '@meridian/core';
import { ApiProblem } from '../http/api-problem.js';

/** What a request wishes (design 7). */
export type Consistency =
  | { readonly level: 'eventual' }
  | { readonly level: 'session' }
  | { readonly level: 'bounded'; readonly maxStalenessMs: number };

/** `session`, `bounded; max-staleness=5`. Without the header: session, which asks nothing of a request without a token. */
export function parseConsistency(header: string | undefined): Consistency {
  if (header === undefined) return { level: 'session' };
  const [level = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  switch (level) {
    case 'eventual':
    case 'session':
      if (parameters.length > 0) return refuse(header);
      return { level };
    case 'bounded':
      return { level, maxStalenessMs: staleness(header, parameters) };
    case 'quorum':
    case 'strong':
      throw new ApiProblem(
        'consistency_not_available',
        `"${level}" is not available yet: use session, or bounded; max-staleness=<seconds>`,
      );
    default:
      return refuse(header);
  }
}

function staleness(header: string, parameters: readonly string[]): number {
  const seconds = /^max-staleness\s*=\s*(\d{1,6}(?:\.\d{1,3})?)$/.exec(
    parameters.length === 1 ? parameters[0]! : '',
  )?.[1];
  return seconds === undefined ? refuse(header) : Number(seconds) * 1000;
}

function refuse(header: string): never {
  throw new ApiProblem(
    'bad_consistency',
    `Meridian-Consistency: ${clip(header)} cannot be read: eventual, session, or bounded; max-staleness=<seconds>`,
  );
}
