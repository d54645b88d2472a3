import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What operators decided and noted of conflicts, apart from the records: the region where the loser was written rewrites a record
 * when a later arrival changes the winner, and neither must overwrite the other. All replicate, row by row.
 */
export class Decisions1763700000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
CREATE TABLE meridian.decision (
  conflict text PRIMARY KEY,
  strategy text NOT NULL,     -- version, value, accept, undo; of an open one: undone, reopened
  version json,               -- {"origin": "us", "id": 7}, when it was one of the record's
  written json,               -- {"before": …, "after": …}, columns of the row; null for a row that is not there. NULL: nothing was written
  by text NOT NULL,
  region text NOT NULL,
  note text,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL  -- the record's created_at, by which they are listed
);
-- Those that resolve, in the order of the list: pages of resolved conflicts, and of open ones by leaving these out.
CREATE INDEX decision_at ON meridian.decision (recorded_at DESC, conflict DESC) WHERE strategy NOT IN ('undone', 'reopened');

-- One row for each thing, and not columns of one: two regions that insert a row at once would contend for all of its columns.
CREATE TABLE meridian.triage (
  conflict text NOT NULL,
  aspect text NOT NULL,       -- assignee, snoozed_until, note
  value text,                 -- NULL: taken away again
  by text NOT NULL,
  region text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (conflict, aspect)
);

-- As the list goes: by both descending.
DROP INDEX meridian.conflict_at;
CREATE INDEX conflict_at ON meridian.conflict (created_at DESC, id DESC);
CREATE INDEX conflict_withdrawn ON meridian.conflict (created_at DESC, id DESC) WHERE status = 'withdrawn'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
DROP TABLE meridian.decision, meridian.triage;
DROP INDEX meridian.conflict_at, meridian.conflict_withdrawn;
CREATE INDEX conflict_at ON meridian.conflict (created_at DESC, id)`);
  }
}
