import type { Enrolments, TableName, TableSpec } from '@meridian/core';
import { readTableNamed } from '../catalog/read-table.js';
import type { Session } from '../connection/session.js';
import { ApplyTable, TableDiffersError } from './apply-table.js';

interface Known {
  readonly version: string;
  readonly spec: TableSpec;
  table: ApplyTable | undefined;
}

/** Nearly always only the few rows of the enrolled tables: the last epoch of those whose enrolment has ended comes along. */
const VERSIONS = /* sql */ `
SELECT rel, xmin || ctid::text, NULL FROM meridian.enrolled_table
UNION ALL
SELECT rel, NULL, max(epoch)::text FROM meridian.policy_epoch WHERE ended GROUP BY rel`;

/** Enrolled tables, read again when their row in meridian.enrolled_table changed; the catalog is read when one is first applied to. */
export class EnrolledTables {
  private known = new Map<TableName, Known>();
  private ended: Enrolments['ended'] = new Map();

  get isKnown(): boolean {
    return this.known.size > 0;
  }

  /** `session`'s search path is empty, so that types' names are spelt out. */
  async refresh(session: Session): Promise<void> {
    const { rows: found } = await session.query(VERSIONS, [], 'versions');
    const rows = found.filter(([, version]) => version !== null);
    this.ended = new Map(found.flatMap(([rel, , ended]) => (ended == null ? [] : [[rel as TableName, Number(ended)]])));
    const changed = rows.filter(([rel, version]) => this.known.get(rel as TableName)?.version !== version);
    if (changed.length === 0 && rows.length === this.known.size) return;
    const { rows: specs } = await session.query(`SELECT rel, xmin || ctid::text, spec FROM meridian.enrolled_table`);
    this.known = new Map(
      specs.map(([rel, version, spec]) => {
        const before = this.known.get(rel as TableName);
        const fresh = { version: version!, spec: JSON.parse(spec!) as TableSpec, table: undefined };
        return [rel as TableName, before?.version === version ? before! : fresh];
      }),
    );
  }

  /** As last read. */
  enrolments(): Enrolments {
    return { tables: new Map([...this.known].map(([name, { spec }]) => [name, spec])), ended: this.ended };
  }

  async load(session: Session, name: TableName): Promise<ApplyTable> {
    const known = this.known.get(name);
    if (known === undefined) throw new TableDiffersError(name, null);
    if (known.table === undefined) {
      const catalog = await readTableNamed(session.driver, name);
      if (catalog === null) throw new TableDiffersError(name, null);
      known.table = new ApplyTable(known.spec, catalog);
    }
    return known.table;
  }

  /** A statement failed as it does when a table was altered: all are read again, from the next {@link refresh} on. */
  forget(): void {
    for (const [name, { spec }] of this.known) this.known.set(name, { version: '', spec, table: undefined });
  }
}
