import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What operators decided and noted of conflicts, apart from the records: the region where the loser was written rewrites a record
 * when a later arrival changes the winner, and neither must overwrite the other. Both replicate, row by row.
 */
export class Decisions1763700000008 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(OPEN);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
DROP TABLE meridian.decision, meridian.triage, meridian.open_conflict;
DROP TRIGGER meridian_open_insert ON meridian.conflict;
DROP TRIGGER meridian_open_update ON meridian.conflict;
DROP TRIGGER meridian_open_delete ON meridian.conflict;
DROP FUNCTION meridian.follow_conflicts(), meridian.follow_decisions(), meridian.decides(text);
DROP INDEX meridian.conflict_at, meridian.conflict_table, meridian.conflict_withdrawn;
CREATE INDEX conflict_at ON meridian.conflict (created_at DESC, id)`);
  }
}

const TABLES = /* sql */ `
CREATE TABLE meridian.decision (
  conflict text PRIMARY KEY,
  strategy text NOT NULL,     -- version, value, accept, undo; of a conflict that is open again: undone, reopened
  version json,               -- {"origin": "us", "id": 7}, when it was one of the record's
  written json,               -- {"before": …, "after": …}, columns of the row; null for a row that is not there. NULL: nothing was written
  by text NOT NULL,
  region text NOT NULL,
  note text,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL  -- the record's created_at, by which they are listed
);
CREATE FUNCTION meridian.decides(strategy text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT strategy NOT IN ('undone', 'reopened') $$;
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
CREATE INDEX conflict_table ON meridian.conflict (rel, created_at DESC, id DESC);
CREATE INDEX conflict_withdrawn ON meridian.conflict (created_at DESC, id DESC) WHERE status = 'withdrawn';
`;

const OPEN = /* sql */ `
-- This region's own: where the open ones among a million decided are. Every open one is in it, and now and then one that is not:
-- who reads it looks at record and decision too. So each trigger adds whatever may be open, without a look at what a transaction
-- beside it may be changing.
CREATE TABLE meridian.open_conflict (
  conflict text PRIMARY KEY,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX open_conflict_at ON meridian.open_conflict (recorded_at DESC, conflict DESC);
INSERT INTO meridian.open_conflict SELECT id, created_at FROM meridian.conflict WHERE status <> 'withdrawn';

CREATE FUNCTION meridian.follow_conflicts() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Apply may write a decision before its record, in one transaction.
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n
     WHERE n.status <> 'withdrawn'
       AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = n.id AND meridian.decides(d.strategy))
    ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'UPDATE' THEN
    DELETE FROM meridian.open_conflict o USING new_rows n WHERE o.conflict = n.id AND n.status = 'withdrawn';
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n JOIN old_rows o USING (id) WHERE o.status = 'withdrawn' AND n.status <> 'withdrawn'
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM meridian.open_conflict o USING old_rows r WHERE o.conflict = r.id;
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION meridian.follow_decisions() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO meridian.open_conflict SELECT r.conflict, r.recorded_at FROM old_rows r ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM meridian.open_conflict o USING new_rows n WHERE o.conflict = n.conflict AND meridian.decides(n.strategy);
    INSERT INTO meridian.open_conflict
    SELECT n.conflict, n.recorded_at FROM new_rows n WHERE NOT meridian.decides(n.strategy)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END
$$;

-- Meridian's by their names: such triggers change nothing that is captured. ALWAYS, for apply writes as a replica does.
${follows('conflict', 'follow_conflicts')}
${follows('decision', 'follow_decisions')}
`;

function follows(table: string, fn: string): string {
  const transition = {
    insert: 'NEW TABLE AS new_rows',
    update: 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
    delete: 'OLD TABLE AS old_rows',
  };
  return Object.entries(transition)
    .map(
      ([op, rows]) => /* sql */ `
CREATE TRIGGER meridian_open_${op} AFTER ${op} ON meridian.${table} REFERENCING ${rows} FOR EACH STATEMENT EXECUTE FUNCTION meridian.${fn}();
ALTER TABLE meridian.${table} ENABLE ALWAYS TRIGGER meridian_open_${op};`,
    )
    .join('\n');
}
