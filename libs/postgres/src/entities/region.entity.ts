import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Which region this database is; one row. */
@Entity({ schema: 'meridian', name: 'region' })
export class RegionEntity {
  @PrimaryColumn({ name: 'only_row', type: 'boolean' })
  onlyRow!: boolean;

  @Column({ type: 'text' })
  cluster!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'apply_role', type: 'text' })
  applyRole!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
