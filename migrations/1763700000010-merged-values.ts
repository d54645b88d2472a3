import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Does a column take what a merge function has made? Asked before it is written: what it refuses is the fallback's to decide. */
export class MergedValues1763700000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
-- Why not; NULL: it does. Varying lengths are checked as an assignment checks them, which a cast does not: it cuts off.
CREATE FUNCTION meridian.value_refused(relation text, column_name text, value text) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  type text;
  required boolean;
  array_of oid;
BEGIN
  SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull, t.typelem INTO type, required, array_of
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = relation::regclass AND a.attname = column_name;
  IF value IS NULL THEN
    RETURN CASE WHEN required THEN 'it must not be NULL' END;
  END IF;
  BEGIN
    IF array_of = 0 THEN
      EXECUTE format('SELECT v FROM json_to_record($1) AS x(v %s)', type) USING json_build_object('v', value);
    ELSE
      EXECUTE format('SELECT CAST($1 AS %s)', type) USING value;
    END IF;
    RETURN NULL;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RETURN SQLERRM;
  END;
END
$$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION meridian.value_refused(text, text, text)');
  }
}
