import * as Automerge from '@automerge/automerge';
import { type Values, origins } from '@meridian/core';
import fc from 'fast-check';
import { type Replica, type RowTable, RowReplicas } from './row-replicas.builder.js';
import { runs, type Step, streamSteps, take } from './row-steps.builder.js';

/*
 * A counter, a set and a map beside Automerge, which knows nothing of ticks, deps, stamps or policies: the same writes, made by the
 * same regions when each has the same, and delivered in the same order. They have to agree after every step.
 *
 * What makes it fair:
 * - A set is an Automerge map of its elements: there, too, who puts a key in wins over who takes it out unseen.
 * - Of concurrent values of a leaf Automerge takes the highest operation: a count of all that its writer had seen, then the name
 *   of the writer. So every write is one operation, stamps count as Automerge does, and actors are named after regions.
 * - A leaf that is taken away loses to any value beside it in Automerge, and goes by its stamp here: it is written as null there.
 * - Two maps made beside each other under one key are two in Automerge and one here; so leaves stand there by their paths, and
 *   none is part of another.
 */

interface Twin {
  readonly [key: string]: unknown;
  readonly n: Automerge.Counter;
  readonly tags: Record<string, boolean>;
  readonly doc: Record<string, number | null>;
}

const ELEMENTS = ['a', 'b', 'c'];
/** By path: how a document with this leaf, or without it, is written. */
const LEAVES = ['k', 'l', 'under.x', 'under.deep.y'];

const TABLE: RowTable = {
  registers: [
    { columns: ['tags'], policy: { kind: 'set' } },
    { columns: ['doc'], policy: { kind: 'map' } },
  ],
  counters: ['n'],
  start: { n: '0', tags: '{}', doc: '{}' },
  write: ({ row, draw }): Values => {
    const of = draw >> 4;
    if (draw % 3 === 0) return { n: String((of % 9) - 4) };
    if (draw % 3 === 1) return { tags: arrayOf(toggled(elementsOf(row), ELEMENTS[of % ELEMENTS.length]!)) };
    return { doc: documentOf(edited(leavesOf(row), LEAVES[of % LEAVES.length]!, of)) };
  },
};

const elementsOf = ({ tags }: Values): string[] => tags!.slice(1, -1).split(',').filter(Boolean);
const arrayOf = (elements: readonly string[]): string => `{${elements.join(',')}}`;
const toggled = (elements: readonly string[], element: string): string[] =>
  elements.includes(element) ? elements.filter((e) => e !== element) : [element, ...elements];

type Leaves = ReadonlyMap<string, number>;

function leavesOf({ doc }: Values): Leaves {
  const leaves = new Map<string, number>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'number') leaves.set(path.join('.'), value);
    else for (const [key, below] of Object.entries(value as object)) walk(below, [...path, key]);
  };
  walk(JSON.parse(doc!), []);
  return leaves;
}

function documentOf(leaves: Leaves): string {
  const document: Record<string, unknown> = {};
  for (const [path, leaf] of leaves) {
    const keys = path.split('.');
    const last = keys.pop()!;
    const place = keys.reduce((at, key) => (at[key] ??= {}) as Record<string, unknown>, document);
    place[last] = leaf;
  }
  return JSON.stringify(document);
}

/** Every third time it is taken away. */
function edited(leaves: Leaves, path: string, draw: number): Leaves {
  const others = [...leaves].filter(([p]) => p !== path);
  return new Map(draw % 3 === 0 ? others : [...others, [path, draw]]);
}

class Beside {
  private readonly rows: RowReplicas;
  private readonly twins: Automerge.Doc<Twin>[];
  private readonly unticked: Uint8Array[][];
  private readonly ticks = new Map<string, readonly Uint8Array[]>();

  constructor(batches: Readonly<Record<string, number>>) {
    this.rows = new RowReplicas({ table: TABLE, delete: 'update-wins', wildClocks: false, batches });
    const [first, ...others] = this.rows.replicas;
    this.rows.write({ region: 0, remove: false, draw: 0, clock: 1 });
    this.rows.exchange();
    const began = Number(first!.row!['n']);
    const twin = Automerge.from<Twin>({ n: new Automerge.Counter(began), tags: {}, doc: {} }, actorOf(first!));
    this.twins = [twin, ...others.map((replica) => Automerge.clone(twin, actorOf(replica)))];
    this.unticked = this.rows.replicas.map(() => []);
  }

  step(step: Step): void {
    const region = step.do === 'write' ? step.write.region : step.region;
    const replica = this.rows.replicas[region]!;
    const { row, applied } = replica;
    if (step.do === 'write') {
      take(this.rows, { ...step, write: { ...step.write, remove: false } });
      this.write(region, row!, replica.row!);
    } else {
      take(this.rows, step);
      if (step.do === 'cut') this.tick(region);
      if (step.do === 'apply') this.deliver(region, applied);
    }
    this.compare(region);
  }

  private write(region: number, before: Values, after: Values): void {
    const [old, now] = [leavesOf(before), leavesOf(after)];
    const twin = Automerge.change(this.twins[region]!, (doc) => {
      const by = Number(after['n']) - Number(before['n']);
      if (by !== 0) doc.n.increment(by);
      for (const element of ELEMENTS) {
        const [had, has] = [elementsOf(before).includes(element), elementsOf(after).includes(element)];
        if (has && !had) doc.tags[element] = true;
        if (had && !has) delete doc.tags[element];
      }
      for (const path of LEAVES) if (old.get(path) !== now.get(path)) doc.doc[path] = now.get(path) ?? null;
    });
    // Nothing was changed: no operation there, and a write all the same here, whose stamp counts.
    const counted = twin === this.twins[region] ? Automerge.change(twin, (doc) => doc.n.increment(0)) : twin;
    this.twins[region] = counted;
    this.unticked[region]!.push(Automerge.getLastLocalChange(counted)!);
  }

  private tick(region: number): void {
    const { name, applied } = this.rows.replicas[region]!;
    this.ticks.set(`${name}/${applied[name]}`, this.unticked[region]!);
    this.unticked[region] = [];
  }

  private deliver(region: number, before: Replica['applied']): void {
    const { name, applied } = this.rows.replicas[region]!;
    for (const origin of origins(applied))
      for (let seq = (before[origin] ?? 0) + 1; origin !== name && seq <= applied[origin]!; seq++)
        [this.twins[region]] = Automerge.applyChanges(this.twins[region]!, [
          ...(this.ticks.get(`${origin}/${seq}`) ?? []),
        ]);
  }

  private compare(region: number): void {
    const [{ row }, twin] = [this.rows.replicas[region]!, this.twins[region]!];
    const leaves = Object.entries(twin.doc).filter((leaf): leaf is [string, number] => leaf[1] !== null);
    expect({ n: Number(row!['n']), tags: elementsOf(row!).sort(), doc: [...leavesOf(row!)].sort() }).toEqual({
      ...{ n: twin.n.value, tags: Object.keys(twin.tags).sort(), doc: leaves.sort() },
    });
  }
}

const actorOf = ({ name }: Replica): string => Buffer.from(name).toString('hex');

it('a counter, a set and a map come to what Automerge makes of the same writes', () => {
  const steps = fc.array(streamSteps(3), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(steps, (all) => {
      const beside = new Beside({ us: 1, eu: 100, ap: 2 });
      for (const step of all) beside.step(step);
    }),
    { numRuns: runs(100) },
  );
});
