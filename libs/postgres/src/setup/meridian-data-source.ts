import { DataSource } from 'typeorm';
import { MeridianSchema1763700000001 } from '../../../../migrations/1763700000001-meridian-schema.js';
import { CaptureFunctions1763700000002 } from '../../../../migrations/1763700000002-capture-functions.js';
import { AlteredTables1763700000003 } from '../../../../migrations/1763700000003-altered-tables.js';
import { LoggedValues1763700000004 } from '../../../../migrations/1763700000004-logged-values.js';
import { ParkedSince1763700000005 } from '../../../../migrations/1763700000005-parked-since.js';
import { AgreedColumns1763700000006 } from '../../../../migrations/1763700000006-agreed-columns.js';
import { NewPartitions1763700000007 } from '../../../../migrations/1763700000007-new-partitions.js';
import { Decisions1763700000008 } from '../../../../migrations/1763700000008-decisions.js';
import { PolicyEpochs1763700000009 } from '../../../../migrations/1763700000009-policy-epochs.js';
import { MergedValues1763700000010 } from '../../../../migrations/1763700000010-merged-values.js';
import { BoundedCounters1763700000012 } from '../../../../migrations/1763700000012-bounded-counters.js';
import { Telling1763700000014 } from '../../../../migrations/1763700000014-telling.js';
import { EnrolledTableEntity } from '../entities/enrolled-table.entity.js';
import { RegionEntity } from '../entities/region.entity.js';

/** TypeORM maps Meridian's own tables and runs its migrations; users' tables, the log and apply go through `pg`. */
export class MeridianDataSource extends DataSource {
  constructor(url: string) {
    super({
      type: 'postgres',
      url,
      schema: 'meridian',
      applicationName: 'meridian',
      entities: [RegionEntity, EnrolledTableEntity],
      // Named one by one: a glob would depend on where the build puts its files.
      migrations: [
        MeridianSchema1763700000001,
        CaptureFunctions1763700000002,
        AlteredTables1763700000003,
        LoggedValues1763700000004,
        ParkedSince1763700000005,
        AgreedColumns1763700000006,
        NewPartitions1763700000007,
        Decisions1763700000008,
        PolicyEpochs1763700000009,
        MergedValues1763700000010,
        BoundedCounters1763700000012,
        Telling1763700000014,
      ],
      migrationsTableName: 'migration',
      migrationsTransactionMode: 'each',
      // uuid-ossp is TypeORM's default for generated keys, of which there are none: an extension would need rights.
      installExtensions: false,
      extra: { max: 2 },
    });
  }
}
