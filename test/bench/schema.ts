import { withClient } from './database.js';
import type { Server } from './servers.js';

const TEMPLATE = 'bench_template';
/** Rows that every region writes. */
const SHARED_ROWS = 100;
/** Each region's own rows begin after its base: `base(0) + 1` to `base(0) + 10000` for the first. */
export const OWN_ROWS = 10_000;
export const base = (region: number): number => 1_000 + region * 100_000;

export type Table = 'bench' | 'stream' | 'counter' | 'wide' | 'uniq' | 'marker';

/**
 * Rows of bench and stream are about 300 bytes: 24 of header, 8 of key, 256 of payload, and their alignment.
 * bench_watch() is the latency measurement's eye, see measure/latency.ts.
 */
const TABLES = /* sql */ `
  create table bench (id bigint primary key, payload text not null);
  insert into bench select g, repeat(md5(g::text), 8) from generate_series(1, ${SHARED_ROWS}) g;
  insert into bench select ${base(0)} + r * 100000 + g, repeat(md5(g::text), 8) from generate_series(0, 2) r, generate_series(1, ${OWN_ROWS}) g;
  create sequence stream_id;
  create table stream (id bigint primary key default nextval('stream_id'), payload text not null);
  create table counter (id int primary key, n bigint not null default 0);
  insert into counter (id) select generate_series(1, 10);
  create table wide (id int primary key, a text not null, b text not null);
  insert into wide values (1, 'old', 'old');
  create table uniq (id text primary key, email text not null unique);
  create table marker (id text primary key, n bigint not null);
  insert into marker values ('us', 0), ('eu', 0), ('ap', 0);
  create function bench_watch(seconds float) returns table (at float, snapshot text) language plpgsql volatile as $$
  declare
    finish timestamptz := clock_timestamp() + seconds * interval '1 second';
    seen text;
    latest text;
  begin
    loop
      latest := pg_current_snapshot()::text;
      if seen is distinct from latest then
        seen := latest;
        at := extract(epoch from clock_timestamp()) * 1000;
        snapshot := latest;
        return next;
      end if;
      exit when clock_timestamp() > finish;
      perform pg_sleep(0.0002);
    end loop;
  end $$;
`;

/** Roles and the template that every leg's database is copied from. */
export async function prepareServer(server: Server): Promise<void> {
  await withClient(server, 'postgres', async (admin) => {
    await admin.query(`create role app login createrole password 'app'`);
    await admin.query('grant set on parameter session_replication_role to app with grant option');
    await admin.query(`create database ${TEMPLATE} owner app`);
  });
  await withClient(server, TEMPLATE, async (admin) => {
    await admin.query('set role app');
    await admin.query(TABLES);
    await admin.query('reset role');
    await admin.query('vacuum analyze');
  });
}

export async function freshDatabase(server: Server, name: string): Promise<void> {
  await withClient(server, 'postgres', async (admin) => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`create database ${name} template ${TEMPLATE} owner app`);
    // Every leg starts with nothing left to write back by an earlier one.
    await admin.query('checkpoint');
  });
}

export async function dropDatabase(server: Server, name: string): Promise<void> {
  await withClient(server, 'postgres', (admin) => admin.query(`drop database if exists ${name} with (force)`));
}
