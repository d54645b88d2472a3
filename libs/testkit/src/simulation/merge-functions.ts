import type { PolicyCall, PolicyFunctions, MergeOutcome } from '@meridian/core';

/**
 * In place of users' functions: what the first version wrote over and what all wrote, so that a version left out, or another base,
 * shows. Of three versions it makes nothing, so that the fallback decides.
 */
export const joinedVersions: PolicyFunctions = {
  run: (calls) => Promise.resolve(calls.map(joined)),
};

function joined({ columns, base, versions }: PolicyCall): MergeOutcome {
  if (versions.length > 2) return { kind: 'failed', because: 'threw', detail: `${versions.length} versions` };
  const values = columns.map((column): [string, string] => {
    const written = versions.map(({ origin, values: of }) => `${origin} ${short(of[column])}`);
    return [column, `${short(base?.[column])}: ${written.join(', ')}`];
  });
  return { kind: 'merged', values: Object.fromEntries(values) };
}

/** A value that was made of others names all it was made of: only its end, or it would grow without end. */
const short = (value: string | null | undefined): string => (value ?? 'none').slice(-12);
