import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An epoch names the columns that are merged part by part, for a tick folds no two writes of one, as it names its counters; and
 * the policy that began with it, so that an earlier one can be looked up and taken back.
 */
export class PolicyEpochs1763700000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
ALTER TABLE meridian.policy_epoch
  ADD COLUMN merged json NOT NULL DEFAULT '[]',
  ADD COLUMN policy json,                                  -- null: of an epoch from before it was kept
  ADD COLUMN began_at timestamptz NOT NULL DEFAULT now();
UPDATE meridian.policy_epoch p SET policy = t.policy FROM meridian.enrolled_table t WHERE t.rel = p.rel AND t.epoch = p.epoch`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'ALTER TABLE meridian.policy_epoch DROP COLUMN merged, DROP COLUMN policy, DROP COLUMN began_at',
    );
  }
}
