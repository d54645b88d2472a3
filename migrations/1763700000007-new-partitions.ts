import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is written straight to a partition that is not captured yet is refused: it would be in this region alone. */
export class NewPartitions1763700000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
-- PostgreSQL clones a row trigger to every partition as it is made or attached, and no statement trigger. A statement that
-- names a relation above is captured there: its number is on that relation's stack (meridian.number_statement).
CREATE FUNCTION meridian.refuse_uncaptured() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  root regclass;
BEGIN
  IF EXISTS (
    SELECT FROM pg_partition_ancestors(TG_RELID), unnest(ARRAY['insert', 'update', 'delete']) op
     WHERE current_setting('meridian.statements_' || relid::oid || '_' || op, true) <> '')
  THEN RETURN NULL; END IF;
  root := pg_partition_root(TG_RELID);
  RAISE EXCEPTION '% is a new partition of %, and what is written straight to it is not captured yet', TG_RELID::regclass, root
    USING ERRCODE = 'object_not_in_prerequisite_state',
          HINT = format('Write to %s, or straight to the partition in some seconds, when the service has seen it.', root);
END
$$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION meridian.refuse_uncaptured()');
  }
}
