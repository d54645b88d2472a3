import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Meridian's own schema (design 3 to 5). The log is the metadata: nothing is added to users' tables.
 * Append-only: a later change of the schema is a migration of its own.
 */
export class MeridianSchema1763700000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SCHEMA);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP SCHEMA meridian CASCADE');
  }
}

const SCHEMA = /* sql */ `
-- CACHE 1: the id is taken while the row's lock is held, so for one row id order is the order of its writes.
CREATE SEQUENCE meridian.change_id AS bigint CACHE 1;
-- The last stamp given out or applied (48 bits of ms, 16 bits of counter). Not transactional: a stamp never goes back.
CREATE SEQUENCE meridian.stamp AS bigint CACHE 1;

-- This region, one row.
CREATE TABLE meridian.region (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  cluster text NOT NULL,
  name text NOT NULL,
  apply_role text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- What a change may weigh: it travels as one text, and V8's end at 512 MB. Refused where it is written, by name.
CREATE FUNCTION meridian.refuse_change(rel text, bytes bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE EXCEPTION 'a change of % of % MB cannot be replicated: 400 MB, old and new values together, are the most', rel, bytes / 1000000
    USING ERRCODE = 'program_limit_exceeded', HINT = 'Write large values in several pieces, or change fewer of a row''s columns at a time.';
END
$$;

-- The log. A local change has no seq: its tick follows from xid and the ticks' snapshots, so its row is never updated.
-- json, not jsonb: json keeps the text as it was written, so a tick made again has the same bytes.
CREATE TABLE meridian.change (
  id bigint NOT NULL DEFAULT nextval('meridian.change_id'),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  origin text NOT NULL,
  seq bigint,                 -- null: local
  origin_id bigint,           -- the change's id at its origin; null: local, then it is id
  rel text NOT NULL,
  op "char" NOT NULL,         -- i, u, d
  pk json NOT NULL,           -- ["42"]
  number bigint,              -- of the statement, where the table has other AFTER triggers: orders changes inside one transaction
  stamp bigint NOT NULL,
  wall bigint NOT NULL,       -- microseconds since 1970
  epoch integer NOT NULL,
  actor text NOT NULL,
  patch json,
  before json,
  image json,                 -- deletes only: the row as later arrivals left it; before stays as shipped, for its tick is made again from it
  ranks json,                 -- {"column": ["stamp", "wall", "id"]}
  unseen json,                -- {"eu": 7}; remote changes only: for local ones it is in meridian.race until they are shipped
  -- As the values are in memory: no text is made to be measured.
  CHECK (coalesce(pg_column_size(patch), 0) + coalesce(pg_column_size(before), 0) <= 400000000
         OR meridian.refuse_change(rel, pg_column_size(patch)::bigint + coalesce(pg_column_size(before), 0)))
) PARTITION BY RANGE (id);
-- The relay's range over xid; peers' and coverage's reads of remote changes; a row's tail of the log.
CREATE INDEX change_xid ON meridian.change (xid) WHERE seq IS NULL;
CREATE INDEX change_origin_seq ON meridian.change (origin, seq) WHERE seq IS NOT NULL;
CREATE INDEX change_row ON meridian.change (rel, (pk::text));

-- One row per origin, the region's own included (seq: its last tick), updated in the transaction that applies or cuts.
CREATE TABLE meridian.applied (
  origin text PRIMARY KEY,
  seq bigint NOT NULL,
  digest text NOT NULL,       -- of that tick: the next one names it as its predecessor
  deps json NOT NULL,         -- of that tick; their minimum over all origins is the stable cut
  stamp bigint NOT NULL,
  wall bigint NOT NULL,
  position text,              -- where the transport goes on (a Kafka offset)
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- Ticks cut here and applied here, as far as the log reaches back. (origin, seq) as key: two relays cannot both write one seq.
CREATE TABLE meridian.tick (
  origin text NOT NULL,
  seq bigint NOT NULL,
  snapshot pg_snapshot,       -- own ticks only
  deps json NOT NULL,
  stamp bigint NOT NULL,
  wall bigint NOT NULL,
  previous text NOT NULL,
  digest text NOT NULL,
  changes integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (origin, seq)
);

-- The race to know (design 5): local change, in no tick yet when it was decided as concurrent with a change of tick (origin, seq).
CREATE TABLE meridian.race (
  change_id bigint NOT NULL,
  origin text NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (change_id, origin)
);

-- Changes in the log that their table here cannot take (a column is missing, a constraint is stricter): they wait for it, and
-- local changes of that table are shipped as not having seen them.
CREATE TABLE meridian.waiting_change (
  log_id bigint PRIMARY KEY,
  rel text NOT NULL,
  origin text NOT NULL,
  seq bigint NOT NULL
);

-- What the log has dropped, one row: whoever reads it from a place before that would miss something.
CREATE TABLE meridian.dropped (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  times bigint NOT NULL,      -- how often
  id bigint NOT NULL,         -- no id above it
  xid xid8 NOT NULL,          -- of local changes, none above it, and none that the snapshot does not show
  snapshot pg_snapshot NOT NULL,
  vector json NOT NULL        -- of other regions' changes, none above it
);
INSERT INTO meridian.dropped (times, id, xid, snapshot, vector) VALUES (0, 0, '0', '3:3:', '{}');

-- Virtual rows that do not show in their table (design 6).
CREATE TABLE meridian.parked (
  rel text NOT NULL,
  pk text NOT NULL,           -- the key's text as in change.pk
  image json NOT NULL,        -- the whole row, {"column": "text"}
  claims json NOT NULL,       -- {"unique key": ["stamp", "origin", "id"] or null: below the stable cut, the earliest}
  reason json NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (rel, pk)
);
-- Claims of rows in the table that a parked row contends with; kept while it does, though the log forgets them.
CREATE TABLE meridian.claim (
  rel text NOT NULL,
  pk text NOT NULL,
  unique_key text NOT NULL,
  claim json NOT NULL,
  PRIMARY KEY (rel, pk, unique_key)
);

-- What the full sum of a counter is beyond what its column shows, for the sum is beyond its type's range, or was when a local
-- write changed what is shown. Of rows in the table only: images, parked rows and the log hold full sums.
CREATE TABLE meridian.counter_excess (
  rel text NOT NULL,
  pk text NOT NULL,           -- the key's text as in change.pk
  column_name text NOT NULL,
  excess numeric NOT NULL,
  PRIMARY KEY (rel, pk, column_name)
);

-- Enrolled tables and their policy; the same in every region.
CREATE TABLE meridian.enrolled_table (
  rel text PRIMARY KEY,
  policy json NOT NULL,       -- as the user wrote it, defaults filled in
  spec json NOT NULL,         -- resolved against the catalog: core's TableSpec, and the columns with their types
  epoch integer NOT NULL,
  state text NOT NULL,        -- active, or waiting: changes wait for it, by this reason
  reason text,
  differs text,               -- how the table here is not what the regions agreed on: then it takes no changes, too
  numbering json,             -- how the regions share the numbers of its keys' sequences: {"step": 16, "regions": ["ap", "eu"]}
  enrolled_at timestamptz NOT NULL DEFAULT now()
);

-- Every epoch that a table's policy has had here. What folds depends on the counters of a change's own epoch, and a tick is made
-- again as it was cut. Epochs count on over enrolments: a change of one that has ended is told from one that is yet to come.
CREATE TABLE meridian.policy_epoch (
  rel text NOT NULL,
  epoch integer NOT NULL,
  counters json NOT NULL,     -- names of columns
  ended boolean NOT NULL,     -- of an enrolment that has ended, and so have all epochs below
  PRIMARY KEY (rel, epoch)
);

-- Conflict records: a replicated table like a user's (policy hlc by row), written by the overwritten change's region.
CREATE TABLE meridian.conflict (
  id text PRIMARY KEY,
  rel text NOT NULL,
  pk text NOT NULL,
  kind text NOT NULL,
  region text NOT NULL,
  status text NOT NULL,
  loser json NOT NULL,
  versions json NOT NULL,
  base json,
  overwritten json NOT NULL,
  result json,
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX conflict_at ON meridian.conflict (created_at DESC, id);
CREATE INDEX conflict_row ON meridian.conflict (rel, pk);

-- Answers of writes that carried an Idempotency-Key; replicated, so that a retry in another region is caught.
CREATE TABLE meridian.idempotency (
  key text PRIMARY KEY,
  request text NOT NULL,      -- digest of method, path and body
  status integer NOT NULL,
  headers text NOT NULL,      -- JSON
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
`;
