import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A table's spec names the columns that its regions agreed on, and no longer those that they have done without since (ADR 11). */
export class AgreedColumns1763700000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
UPDATE meridian.enrolled_table
   SET spec = (spec::jsonb - 'forgotten' || jsonb_build_object('agreed',
         jsonb_path_query_array(spec::jsonb, '$.columns[*] ? (@.generated == false).name') || (spec::jsonb -> 'missing')))::json`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `UPDATE meridian.enrolled_table SET spec = (spec::jsonb - 'agreed' || '{"forgotten": []}')::json`,
    );
  }
}
