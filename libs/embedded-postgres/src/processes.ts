import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether the process runs. A zombie does not: where nobody reaps orphans, as in many containers, it answers signals for ever. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === parent);
}

/** PostgreSQL's working directory is its data folder, which tells it from a stranger who got a dead server's pid. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function statOf(pid: number): { state: string | undefined; parent: number } | undefined {
  try {
    // "pid (name) state parent …": the name may hold anything, so cut after its last bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
