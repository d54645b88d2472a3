import type { Enrolments, TableName } from '@meridian/core';
import { readTableNamed } from '../catalog/read-table.js';
import type { Session } from '../connection/session.js';
import type { StoredSpec } from '../entities/enrolled-table.entity.js';
import { ApplyTable, TableDiffersError } from './apply-table.js';

interface Known {
  readonly version: string;
  readonly spec: StoredSpec;
  /** How the table is not what the regions agreed on. */
  readonly differs: string | null;
  table: ApplyTable | undefined;
}

/**
 * A lookup a table, and no hash of all that exceeds. Nearly always only the few rows of the enrolled tables: the last epoch of
 * those whose enrolment has ended comes along.
 */
const VERSIONS = /* sql */ `
SELECT rel, xmin || ctid::text, (SELECT true FROM meridian.counter_excess e WHERE e.rel = t.rel LIMIT 1), NULL
  FROM meridian.enrolled_table t
UNION ALL
SELECT rel, NULL, NULL, max(epoch)::text FROM meridian.policy_epoch WHERE ended GROUP BY rel`;

/** Enrolled tables, read again when their row in meridian.enrolled_table changed; the catalog is read when one is first applied to. */
export class EnrolledTables {
  private known = new Map<TableName, Known>();
  private excess: ReadonlySet<TableName> = new Set();
  private ended: Enrolments['ended'] = new Map();

  get isKnown(): boolean {
    return this.known.size > 0;
  }

  /** `session`'s search path is empty, so that types' names are spelt out. */
  async refresh(session: Session): Promise<void> {
    const { rows: found } = await session.query(VERSIONS, [], 'versions');
    const rows = found.filter(([, version]) => version !== null);
    this.excess = new Set(rows.filter(([, , excess]) => excess === 't').map(([rel]) => rel as TableName));
    this.ended = new Map(
      found.flatMap(([rel, , , ended]) => (ended == null ? [] : [[rel as TableName, Number(ended)]])),
    );
    const changed = rows.filter(([rel, version]) => this.known.get(rel as TableName)?.version !== version);
    if (changed.length === 0 && rows.length === this.known.size) return;
    const { rows: specs } = await session.query(
      'SELECT rel, xmin || ctid::text, spec, differs FROM meridian.enrolled_table',
    );
    this.known = new Map(
      specs.map(([rel, version, spec, differs]) => {
        const before = this.known.get(rel as TableName);
        const fresh = { version: version!, spec: JSON.parse(spec!) as StoredSpec, differs: differs!, table: undefined };
        return [rel as TableName, before?.version === version ? before! : fresh];
      }),
    );
  }

  /**
   * Tables of which a counter exceeded its type at the last {@link refresh}. Sums are right whatever this says: it spares the
   * tables' writes an error each, or the wait for the sweep.
   */
  get withExcess(): ReadonlySet<TableName> {
    return this.excess;
  }

  /** As last read. */
  enrolments(): Enrolments {
    return { tables: new Map([...this.known].map(([name, { spec }]) => [name, spec])), ended: this.ended };
  }

  async load(session: Session, name: TableName): Promise<ApplyTable> {
    const known = this.known.get(name);
    if (known === undefined) throw TableDiffersError.notEnrolled(name);
    if (known.table === undefined) {
      const catalog = await readTableNamed(session.driver, name);
      if (catalog === null) throw TableDiffersError.gone(name);
      known.table = new ApplyTable(known.spec, catalog, known.differs);
    }
    return known.table;
  }

  /** A statement failed as it does when a table was altered: all are read again, from the next {@link refresh} on. */
  forget(): void {
    for (const [name, known] of this.known) this.known.set(name, { ...known, version: '', table: undefined });
  }
}
