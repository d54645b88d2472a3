import { readdirSync, readFileSync } from 'node:fs';

/** Jiffies of 10 ms on every Linux that Node runs on. */
const SECONDS_PER_JIFFY = 0.01;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Own user and system time, and that of the children already reaped. */
  readonly cpuSeconds: number;
}

/**
 * CPU time of these processes and all that descend from them. A server's backends that have ended are in their parent's
 * account of reaped children, so nothing is lost between two readings.
 */
export function cpuSeconds(roots: readonly number[]): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .map(stat)
    .filter((found) => found !== undefined);
  const wanted = new Set(roots);
  for (let grown = true; grown;) {
    const children = all.filter(({ pid, parent }) => wanted.has(parent) && !wanted.has(pid));
    for (const { pid } of children) wanted.add(pid);
    grown = children.length > 0;
  }
  return all.filter(({ pid }) => wanted.has(pid)).reduce((sum, each) => sum + each.cpuSeconds, 0);
}

/** The most memory the process has had resident since it started. */
export function peakResidentMb(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold spaces and brackets: fields are counted from its last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number) as [number, number, number, number];
    return { pid, parent: Number(fields[1]), cpuSeconds: (utime + stime + cutime + cstime) * SECONDS_PER_JIFFY };
  } catch {
    return undefined; // ended between the listing and the reading
  }
}
