import { Prng, runScenario } from '@meridian/testkit';

const REGIONS = ['us', 'eu', 'ap'];
const POLICIES = ['update-wins', 'delete-wins', 'by-stamp'];

/** One exchange of ticks, or a stretch in which regions write. */
type Part = 'writes' | readonly string[];

/** Scripts that exchange at the same places, so that they can run side by side; between them each writes what it likes. */
export function randomScripts(seed: number, rows: number): string[] {
  const prng = Prng.of(seed, 'exchanges');
  const parts: Part[] = [];
  for (let spell = prng.between(1, 2); spell > 0; spell--) {
    const known = new Knowledge();
    for (let i = prng.between(1, 6); i > 0; i--) {
      const [from, to] = prng.pick(known.complete());
      known.hand(from, to);
      parts.push('writes', [`${from} -> ${to}`]);
    }
    parts.push('writes', ['all']);
  }
  return Array.from({ length: rows }, (_, row) => randomScript(Prng.of(seed, `row ${row}`), parts));
}

/**
 * Which ticks have come where since everybody had everything. A scenario knows one row; here hundreds share their ticks, and a
 * tick may have to wait for one that brings nothing for the row. So only what need not wait is handed over.
 */
class Knowledge {
  private readonly applied = new Map(REGIONS.map((r) => [r, new Set<string>()]));
  private readonly cuts = new Map(REGIONS.map((r) => [r, 0]));

  /** Handings after which the receiver has all that the sender has cut. */
  complete(): (readonly [from: string, to: string])[] {
    const pairs = REGIONS.flatMap((from) => REGIONS.filter((to) => to !== from).map((to) => [from, to] as const));
    return pairs.filter(([from, to]) => {
      const foreign = [...this.applied.get(from)!].filter((name) => !name.startsWith(from) && !name.startsWith(to));
      return foreign.every((name) => this.applied.get(to)!.has(name));
    });
  }

  hand(from: string, to: string): void {
    const cut = this.cuts.get(from)! + 1;
    this.cuts.set(from, cut);
    for (let n = 1; n <= cut; n++) for (const region of [from, to]) this.applied.get(region)!.add(`${from}/${n}`);
  }
}

function randomScript(prng: Prng, parts: readonly Part[]): string {
  const lines = [`policy ${prng.pick(POLICIES)}`, 'us insert n=10', 'all'];
  for (const [i, part] of parts.entries()) {
    if (part !== 'writes') lines.push(...part);
    // A child forbids to delete its parent where it has arrived: children come at the end only.
    else for (let n = prng.pick([0, 1, 1, 2, 3]); n > 0; n--) addWrite(prng, lines, i === parts.length - 2);
  }
  return lines.join('\n');
}

function addWrite(prng: Prng, lines: string[], last: boolean): void {
  const region = prng.pick(REGIONS);
  const value = lines.length + 1;
  if (!isThere(lines, region)) return void lines.push(`${region} insert x=${value} n=${prng.between(0, 5)}`);
  const touches = lines.includes(`${region} touch`);
  const writes = ['x', 'y', 'a', 'b'].map((column) => `update ${column}=${value}`);
  const others = [
    `update x=${value} y=${value} n=2`,
    'add n=1',
    ...(touches ? [] : ['delete']),
    ...(last ? ['touch'] : []),
  ];
  lines.push(`${region} ${prng.pick([...writes, ...others, ...others])}`);
}

/** As the core has it by now. */
function isThere(lines: readonly string[], region: string): boolean {
  const told = runScenario(lines.join('\n')).split('\n');
  const row = told.find((line) => line.startsWith('all: ') || line.split(': ')[0]!.split(', ').includes(region))!;
  return !row.endsWith('no row');
}
