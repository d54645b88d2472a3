import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a change may weigh is held by the type of its columns. As a CHECK of the log it cost each statement that logs one row some
 * 40 of 200 us: PostgreSQL parses a table's CHECK anew for every statement, and keeps a domain's.
 */
export class LoggedValues1763700000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
ALTER TABLE meridian.change DROP CONSTRAINT change_check;
DROP FUNCTION meridian.refuse_change(text, bigint);

-- A change travels as one text, and V8's end at 512 MB. Refused where it is written.
CREATE FUNCTION meridian.refuse_values(bytes bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE EXCEPTION 'a change of % MB cannot be replicated: 200 MB of new values, and as much of old ones, are the most', bytes / 1000000
    USING ERRCODE = 'program_limit_exceeded', HINT = 'Write large values in several pieces, or change fewer of a row''s columns at a time.';
END
$$;

-- A row's values in the log. As they are in memory: no text is made to be measured.
CREATE DOMAIN meridian.logged_values AS json
  CHECK (VALUE IS NULL OR pg_column_size(VALUE) <= 200000000 OR meridian.refuse_values(pg_column_size(VALUE)));
ALTER TABLE meridian.change ALTER patch TYPE meridian.logged_values, ALTER before TYPE meridian.logged_values;`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
ALTER TABLE meridian.change ALTER patch TYPE json, ALTER before TYPE json;
DROP DOMAIN meridian.logged_values;
DROP FUNCTION meridian.refuse_values(bigint);
CREATE FUNCTION meridian.refuse_change(rel text, bytes bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE EXCEPTION 'a change of % of % MB cannot be replicated: 400 MB, old and new values together, are the most', rel, bytes / 1000000
    USING ERRCODE = 'program_limit_exceeded', HINT = 'Write large values in several pieces, or change fewer of a row''s columns at a time.';
END
$$;
ALTER TABLE meridian.change ADD CONSTRAINT change_check
  CHECK (coalesce(pg_column_size(patch), 0) + coalesce(pg_column_size(before), 0) <= 400000000
         OR meridian.refuse_change(rel, pg_column_size(patch)::bigint + coalesce(pg_column_size(before), 0)));`);
  }
}
