import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Siblings of registers: the open records hold their values. A record is resolved without a decision where all of its siblings were
 * written over, or a key's policy was carried out (the loser was renamed, a child followed its parent); a decision, also one that was
 * undone, says more than that.
 */
export class Siblings1763700000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(INDEXES);
    await queryRunner.query(followConflicts(RESOLVED));
    await queryRunner.query(VIEW);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(followConflicts(WITHDRAWN));
    await queryRunner.query(/* sql */ `
DROP VIEW meridian.siblings;
DROP INDEX meridian.conflict_siblings, meridian.conflict_resolved`);
  }
}

const INDEXES = /* sql */ `
-- Column names and values that hold such a text are escaped, or harmless: whoever reads looks at the entries.
CREATE INDEX conflict_siblings ON meridian.conflict (rel, pk) WHERE status = 'open' AND overwritten::text LIKE '%"policy":"register"%';
CREATE INDEX conflict_resolved ON meridian.conflict (created_at DESC, id DESC) WHERE status = 'resolved';
`;

interface Ends {
  /** Of a record as it is now: is it open no more? */
  readonly ended: string;
  readonly begins: string;
}

const WITHDRAWN: Ends = {
  ended: `n.status = 'withdrawn'`,
  begins: `o.status = 'withdrawn' AND n.status <> 'withdrawn'`,
};

const RESOLVED: Ends = {
  ended: `(n.status = 'withdrawn' OR (n.status = 'resolved' AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = n.id)))`,
  begins: `o.status <> 'open' AND n.status = 'open'`,
};

/** As migration 8 made it, but for these. */
const followConflicts = ({ ended, begins }: Ends): string => /* sql */ `
CREATE OR REPLACE FUNCTION meridian.follow_conflicts() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Apply may write a decision before its record, in one transaction.
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n
     WHERE NOT (${ended})
       AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = n.id AND meridian.decides(d.strategy))
    ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'UPDATE' THEN
    DELETE FROM meridian.open_conflict o USING new_rows n WHERE o.conflict = n.id AND ${ended};
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n JOIN old_rows o USING (id) WHERE ${begins}
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM meridian.open_conflict o USING old_rows r WHERE o.conflict = r.id;
  END IF;
  RETURN NULL;
END
$$`;

/** By the rights of whoever asks: on the schema as an administrator gives them, on the rows as on their table. */
const VIEW = /* sql */ `
CREATE VIEW meridian.siblings WITH (security_barrier) AS
SELECT c.rel AS table_name, c.pk::json AS key,
       ARRAY(SELECT json_array_elements_text(o -> 'columns')) AS columns, o -> 'lost' AS "values",
       c.region, (c.loser ->> 'wall')::timestamptz AS written_at, c.loser ->> 'actor' AS actor, c.id AS conflict
  FROM meridian.conflict c CROSS JOIN LATERAL json_array_elements(c.overwritten) o
 WHERE c.status = 'open' AND c.overwritten::text LIKE '%"policy":"register"%'
   AND o ->> 'policy' = 'register' AND o -> 'writtenOver' IS NULL
   AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = c.id AND meridian.decides(d.strategy))
   AND has_table_privilege(to_regclass(c.rel), 'SELECT');
GRANT SELECT ON meridian.siblings TO PUBLIC;
`;
