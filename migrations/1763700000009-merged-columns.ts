import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tick folds no two writes of a column that is merged part by part: every epoch names these, as it names its counters. */
export class MergedColumns1763700000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE meridian.policy_epoch ADD COLUMN merged json NOT NULL DEFAULT '[]'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE meridian.policy_epoch DROP COLUMN merged');
  }
}
