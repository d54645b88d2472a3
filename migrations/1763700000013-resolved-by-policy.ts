import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A record may end by its policy: the loser of a unique key was renamed, a child followed its parent. Nobody has to look at it. */
export class ResolvedByPolicy1763700000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(followConflicts("= 'open'", "<> 'open'"));
    await queryRunner.query(
      `CREATE INDEX conflict_resolved ON meridian.conflict (created_at DESC, id DESC) WHERE status = 'resolved'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX meridian.conflict_resolved');
    await queryRunner.query(followConflicts("<> 'withdrawn'", "= 'withdrawn'"));
  }
}

/** As of migration 8, but for what counts as open. */
const followConflicts = (open: string, ended: string): string => /* sql */ `
CREATE OR REPLACE FUNCTION meridian.follow_conflicts() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Apply may write a decision before its record, in one transaction.
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n
     WHERE n.status ${open}
       AND NOT EXISTS (SELECT FROM meridian.decision d WHERE d.conflict = n.id AND meridian.decides(d.strategy))
    ON CONFLICT DO NOTHING;
  ELSIF TG_OP = 'UPDATE' THEN
    DELETE FROM meridian.open_conflict o USING new_rows n WHERE o.conflict = n.id AND n.status ${ended};
    INSERT INTO meridian.open_conflict
    SELECT n.id, n.created_at FROM new_rows n JOIN old_rows o USING (id) WHERE o.status ${ended} AND n.status ${open}
    ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM meridian.open_conflict o USING old_rows r WHERE o.conflict = r.id;
  END IF;
  RETURN NULL;
END
$$`;
