import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a region may take from a bounded counter (ADR 21): kept beside the row, spent by capture, moved between the regions. */
export class BoundedCounters1763700000012 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(/* sql */ `
DROP FUNCTION meridian.refuse_share(text, integer, text, text, text, numeric, numeric), meridian.spend_shares(text, integer, text, text, text[], numeric[]),
  meridian.begin_shares(text, integer, text, numeric, text, text[], numeric[]), meridian.hold_reborn(text, text[]), meridian.shares_of(text, integer, text, text[]);
DROP TABLE meridian.share, meridian.share_base, meridian.share_due;
DROP FUNCTION meridian.follow_shares()`);
  }
}

const TABLES = /* sql */ `
-- Replicated. One row is written by its region alone, so two regions never contend for one. What a region may take is
-- its part of the base + own - all that it has given + all that the others have given it. The row may be gone, and its shares
-- are still there: whoever inserts it anew has to leave the others theirs.
CREATE TABLE meridian.share (
  rel text NOT NULL,
  since integer NOT NULL,     -- epoch that the enrolment began with: what an ended one has left counts for nothing
  pk text NOT NULL,           -- the key's text as in change.pk
  column_name text NOT NULL,
  region text NOT NULL,
  own numeric NOT NULL,       -- the sum of the differences that were written in this region
  given jsonb NOT NULL,       -- {"eu": "5"}, all that it has ever given to each; grows only
  wanted numeric,             -- a write waits here for a share of as much; NULL: none does
  PRIMARY KEY (rel, since, pk, column_name, region)
);

-- What of the rows that were there when the table was enrolled is whose; equal in all regions, and never written again.
CREATE TABLE meridian.share_base (
  rel text NOT NULL,
  since integer NOT NULL,
  pk text NOT NULL,
  column_name text NOT NULL,
  shares jsonb NOT NULL,      -- {"ap": "3", "eu": "3", "us": "4"}
  PRIMARY KEY (rel, since, pk, column_name)
);

-- This region's own: rows whose shares have changed, here or in another region, for the one who moves them. A heap without a
-- key: writers append, and wait for nobody.
CREATE TABLE meridian.share_due (
  rel text NOT NULL,
  since integer NOT NULL,
  pk text NOT NULL,
  column_name text NOT NULL
);
`;

const FUNCTIONS = /* sql */ `
CREATE FUNCTION meridian.shares_of(relation text, since_epoch integer, counter text, keys text[])
RETURNS TABLE (pk text, region text, amount numeric)
LANGUAGE sql STABLE AS $$
  WITH part AS (
    SELECT s.pk, s.region, s.own AS amount FROM meridian.share s
     WHERE s.rel = relation AND s.since = since_epoch AND s.column_name = counter AND s.pk = ANY (keys)
    UNION ALL
    SELECT s.pk, g.region, g.amount FROM meridian.share s, jsonb_each_text(s.given) v,
           LATERAL (VALUES (s.region, -v.value::numeric), (v.key, v.value::numeric)) AS g(region, amount)
     WHERE s.rel = relation AND s.since = since_epoch AND s.column_name = counter AND s.pk = ANY (keys)
    UNION ALL
    SELECT b.pk, v.key, v.value::numeric FROM meridian.share_base b, jsonb_each_text(b.shares) v
     WHERE b.rel = relation AND b.since = since_epoch AND b.column_name = counter AND b.pk = ANY (keys))
  SELECT p.pk, p.region, sum(p.amount) FROM part p GROUP BY p.pk, p.region
$$;

-- remaining: what the region might have taken before the statement that is refused. NULL: it inserts a row that was there before,
-- with less than the others may still take.
CREATE FUNCTION meridian.refuse_share(relation text, since_epoch integer, counter text, here text, key text, remaining numeric, short numeric) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  shares jsonb := (SELECT jsonb_object_agg(s.region, CASE s.region WHEN here THEN coalesce(remaining, 0) ELSE s.amount END::text)
                     FROM meridian.shares_of(relation, since_epoch, counter, ARRAY[key]) s);
  others text := (SELECT string_agg(format('%s may take %s', o.key, o.value), ', ' ORDER BY o.key)
                    FROM jsonb_each_text(shares - here) o WHERE o.value::numeric > 0);
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'meridian_share', TABLE = relation, COLUMN = counter, 
    DETAIL = jsonb_build_object('key', key, 'shares', shares, 'short', short::text),
    MESSAGE = CASE WHEN remaining IS NULL THEN format('%s of %s %s cannot begin with so little: of the row that was there %s', counter, relation, key, others)
                   ELSE format('the region %s may take %s more from %s of %s %s; %s', here, remaining, counter, relation, key, coalesce(others, 'no other region may take any')) END,
    HINT = CASE WHEN others IS NULL THEN 'It is at its bound.'
                ELSE 'Shares move by themselves within moments: take it again, or less, or in a region that may.' END;
END
$$;

-- Differences that this region has written, of rows whose locks it holds: they keep all other writers of these shares out but
-- the one who gives some away, and he writes this region's row, too.
CREATE FUNCTION meridian.spend_shares(relation text, since_epoch integer, counter text, here text, keys text[], differences numeric[]) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = '' AS $$
DECLARE
  short record;
BEGIN
  INSERT INTO meridian.share AS s (rel, since, pk, column_name, region, own, given)
  SELECT relation, since_epoch, d.pk, counter, here, d.difference, '{}' FROM unnest(keys, differences) AS d(pk, difference)
  ON CONFLICT (rel, since, pk, column_name, region) DO UPDATE SET own = s.own + excluded.own;
  SELECT a.pk, a.amount, a.amount - d.difference AS remaining INTO short
    FROM meridian.shares_of(relation, since_epoch, counter, keys) a JOIN unnest(keys, differences) AS d(pk, difference) USING (pk)
   WHERE a.region = here AND a.amount < 0 AND d.difference < 0 ORDER BY a.pk LIMIT 1;
  IF FOUND THEN PERFORM meridian.refuse_share(relation, since_epoch, counter, here, short.pk, short.remaining, -short.amount); END IF;
END
$$;

-- A key that had shares before its row is inserted: one at a time, so that whoever inserts knows of every share that counts. Its
-- rows in meridian.share may not be there yet, so it is the key that is locked; one of 256 for all, for there may be many.
CREATE FUNCTION meridian.hold_reborn(relation text, keys text[]) RETURNS void
LANGUAGE sql SET search_path = '' AS $$
  SELECT pg_advisory_xact_lock(1835365480, h.place)
    FROM (SELECT DISTINCT (hashtext(relation || k.pk) & 255) AS place FROM unnest(keys) AS k(pk) ORDER BY 1) h
$$;

-- Rows that this region has inserted: all that is above the bound, and no other region's, is its own.
CREATE FUNCTION meridian.begin_shares(relation text, since_epoch integer, counter text, bound numeric, here text, keys text[], counts numeric[]) RETURNS void
LANGUAGE plpgsql STRICT SET search_path = '' AS $$
DECLARE
  reborn text[];
  key text;
  missing numeric;
BEGIN
  SELECT d.pk INTO key FROM unnest(keys, counts) AS d(pk, count) WHERE d.count < bound ORDER BY d.pk LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% of % % would begin below its bound of %', counter, relation, key, bound
      USING ERRCODE = 'check_violation', CONSTRAINT = 'meridian_bound', TABLE = relation, COLUMN = counter;
  END IF;
  reborn := ARRAY(
    SELECT s.pk FROM meridian.share s WHERE s.rel = relation AND s.since = since_epoch AND s.column_name = counter AND s.pk = ANY (keys)
    UNION
    SELECT b.pk FROM meridian.share_base b WHERE b.rel = relation AND b.since = since_epoch AND b.column_name = counter AND b.pk = ANY (keys));
  IF reborn <> '{}' THEN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
      RAISE EXCEPTION 'a row of % that was deleted is inserted anew in READ COMMITTED only: this transaction''s snapshot may not show what other regions may still take from %', relation, counter
        USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM meridian.hold_reborn(relation, reborn);
    PERFORM FROM meridian.share s WHERE s.rel = relation AND s.since = since_epoch AND s.column_name = counter AND s.pk = ANY (reborn)
      ORDER BY s.pk, s.region FOR UPDATE;
  END IF;
  INSERT INTO meridian.share AS s (rel, since, pk, column_name, region, own, given)
  SELECT relation, since_epoch, d.pk, counter, here, d.count - bound - coalesce(k.amount, 0), '{}'
    FROM unnest(keys, counts) AS d(pk, count)
    LEFT JOIN (SELECT a.pk, sum(a.amount) AS amount FROM meridian.shares_of(relation, since_epoch, counter, reborn) a GROUP BY a.pk) k ON k.pk = d.pk
  ON CONFLICT (rel, since, pk, column_name, region) DO UPDATE SET own = s.own + excluded.own;
  IF reborn = '{}' THEN RETURN; END IF;
  SELECT a.pk, -a.amount INTO key, missing FROM meridian.shares_of(relation, since_epoch, counter, reborn) a
   WHERE a.region = here AND a.amount < 0 ORDER BY a.pk LIMIT 1;
  IF FOUND THEN PERFORM meridian.refuse_share(relation, since_epoch, counter, here, key, NULL, missing); END IF;
END
$$;

-- Whoever writes a share, apply included.
CREATE FUNCTION meridian.follow_shares() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
  INSERT INTO meridian.share_due (rel, since, pk, column_name) SELECT s.rel, s.since, s.pk, s.column_name FROM changed s;
  IF TG_OP = 'INSERT' AND session_user = (SELECT r.apply_role FROM meridian.region r) THEN
    PERFORM meridian.hold_reborn(k.rel, array_agg(k.pk)) FROM changed k GROUP BY k.rel;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER meridian_due_insert AFTER INSERT ON meridian.share REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION meridian.follow_shares();
CREATE TRIGGER meridian_due_update AFTER UPDATE ON meridian.share REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION meridian.follow_shares();
ALTER TABLE meridian.share ENABLE ALWAYS TRIGGER meridian_due_insert, ENABLE ALWAYS TRIGGER meridian_due_update;
`;
