import { regionId, type RegionId } from '@meridian/core';
import { templateDatabase } from '@meridian/testkit';
import { Client } from 'pg';
import { PgApplyStore } from './apply/pg-apply-store.js';
import { Enrolment } from './enrolment/enrolment.js';
import { PgTickStore } from './log/pg-tick-store.js';
import { prepareDatabase } from './setup/prepare-database.js';

/** One region's database for a test: prepared as a service prepares it, with both ports on it and a user's connection. */
export interface TestRegion {
  readonly region: RegionId;
  readonly url: string;
  readonly applyUrl: string;
  readonly ticks: PgTickStore;
  readonly apply: PgApplyStore;
  /** As a user would: captured. */
  readonly user: Client;
  /** Another user's session. */
  connect(): Promise<Client>;
  /** Makes a table by this DDL and enrols it. */
  enrol(ddl: string, table: string, policy?: object): Promise<void>;
  close(): Promise<void>;
}

// A database, migrated and captured, takes half a second; several on a busy machine.
export async function testRegion(name = 'eu', historyMs = 0): Promise<TestRegion> {
  const region = regionId(name);
  const database = await templateDatabase();
  const prepared = await prepareDatabase({ url: database.url, secret: 'a secret of tests', cluster: 'test', region });
  const ticks = new PgTickStore({ region, connection: { connectionString: database.url }, historyMs });
  const apply = new PgApplyStore({
    region,
    connection: { connectionString: prepared.applyUrl },
    owner: { connectionString: database.url },
  });
  await ticks.maintainPartitions();
  const clients: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    clients.push(client);
    return client;
  };
  const user = await connect();
  return {
    ...{ region, url: database.url, applyUrl: prepared.applyUrl, ticks, apply, user, connect },
    enrol: async (ddl, table, policy = {}) => {
      await user.query(ddl);
      const { applyRole, replicaRole } = prepared;
      const enrolment = new Enrolment({ region, applyRole, replicaRole, url: database.url });
      const [schema, relation] = table.includes('.') ? (table.split('.') as [string, string]) : ['public', table];
      const ready = await enrolment.prepare({ schema, name: relation }, policy);
      await ready.commit();
    },
    close: async () => {
      await Promise.all([ticks.close(), apply.close(), ...clients.map((c) => c.end().catch(() => undefined))]);
      await database.drop();
    },
  };
}
