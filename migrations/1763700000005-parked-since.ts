import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A local insert covers the parked row of its key (design 6), and does not know of it: capture cannot remove an entry that its
 * snapshot does not see. So the entry tells from which inserts it knows, and the log tells of the others.
 */
export class ParkedSince1763700000005 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
-- Of the statement that parked it.
ALTER TABLE meridian.parked ADD COLUMN since pg_snapshot NOT NULL DEFAULT pg_current_snapshot();

-- A local insert of the key has taken the row's place, whether that row is still there or not. By index, row by row: parked rows are few.
CREATE FUNCTION meridian.is_overtaken(parked meridian.parked) RETURNS boolean
LANGUAGE sql STABLE AS $$
SELECT EXISTS (
  SELECT FROM meridian.change c
   WHERE c.rel = parked.rel AND c.pk::text = parked.pk AND c.seq IS NULL AND c.op = 'i' AND NOT pg_visible_in_snapshot(c.xid, parked.since)
  OFFSET 0)
$$;`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
DROP FUNCTION meridian.is_overtaken(meridian.parked);
ALTER TABLE meridian.parked DROP COLUMN since;`);
  }
}
