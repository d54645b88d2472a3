import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the generated capture functions of all tables share (design 3), and what apply's statements call. */
export class CaptureFunctions1763700000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
DROP FUNCTION meridian.expect(boolean, text, text), meridian.number_statement(), meridian.pop_statement(oid, text), meridian.finite(numeric), meridian.next_stamp(),
  meridian.take_excess(text, text[]), meridian.carry_excess(text, text[], text[])`);
  }
}

const FUNCTIONS = /* sql */ `
-- A transaction whose statements are sent together with its COMMIT can be ended by an error only: class 9M is apply's.
CREATE FUNCTION meridian.expect(holds boolean, state text, otherwise text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  IF holds IS NOT TRUE THEN RAISE EXCEPTION USING MESSAGE = otherwise, ERRCODE = state; END IF;
END
$$;

-- A table with other AFTER triggers: they may write to it before capture runs, and their writes would be logged first. So a
-- BEFORE STATEMENT trigger takes the statement's number, from the sequence of the log's ids, so that numbers and ids compare:
-- inside one transaction a change's place is (coalesce(number, id), id).
-- The numbers of statements that have begun and are not captured yet form a stack, for statements nest. A stack, and not a
-- slot per pg_trigger_depth(): a cascade's BEFORE trigger fires one level deeper than its AFTER trigger (seen).
-- Set locally, so that the end of a transaction, or of a savepoint that is rolled back, restores it.
CREATE FUNCTION meridian.number_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  stack text := 'meridian.statements_' || TG_RELID || '_' || lower(TG_OP);
  entry text := nextval('meridian.change_id') || ':' || pg_trigger_depth();
BEGIN
  PERFORM set_config(stack, concat_ws(' ', entry, nullif(current_setting(stack, true), '')), true);
  RETURN NULL;
END
$$;

-- MERGE and ON CONFLICT fire BEFORE INSERT, UPDATE, DELETE, but AFTER DELETE, UPDATE, INSERT (seen): they take one number, the
-- INSERT's, and follow by id. What is pending at the same depth is part of the same statement.
CREATE FUNCTION meridian.pop_statement(relation oid, op text) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  stacks text := 'meridian.statements_' || relation || '_';
  entries text := current_setting(stacks || lower(op), true);
  own text := split_part(entries, ' ', 1);
  number bigint;
  other text;
BEGIN
  -- Not numbered: the BEFORE trigger is younger than the statement.
  IF coalesce(own, '') = '' THEN RETURN nextval('meridian.change_id'); END IF;
  PERFORM set_config(stacks || lower(op), substr(entries, length(own) + 2), true);
  number := split_part(own, ':', 1);
  FOREACH other IN ARRAY ARRAY['insert', 'update'] LOOP
    EXIT WHEN other = lower(op);
    other := split_part(current_setting(stacks || other, true), ' ', 1);
    IF split_part(other, ':', 2) = split_part(own, ':', 2) THEN
      number := least(number, split_part(other, ':', 1)::bigint);
    END IF;
  END LOOP;
  RETURN number;
END
$$;

-- A counter that became NaN or infinite could never be added to again.
CREATE FUNCTION meridian.finite(value numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
BEGIN
  IF value IN ('NaN', 'Infinity', '-Infinity') THEN
    RAISE EXCEPTION 'a counter cannot become %', value USING ERRCODE = 'numeric_value_out_of_range';
  END IF;
  RETURN value;
END
$$;

-- Deleted rows take the excess of their counters along into what was just logged of them: a later winner restores the full sum.
CREATE FUNCTION meridian.take_excess(relation text, keys text[]) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  WITH taken AS (
    DELETE FROM meridian.counter_excess e WHERE e.rel = relation AND e.pk = ANY (keys)
    RETURNING e.pk, e.column_name, e.excess)
  UPDATE meridian.change c
     SET before = (
       SELECT json_object_agg(b.key, CASE WHEN t.excess IS NULL THEN b.value ELSE (b.value::numeric + t.excess)::text END)
         FROM json_each_text(c.before) b LEFT JOIN taken t ON t.pk = c.pk::text AND t.column_name = b.key)
   WHERE c.id IN (
     SELECT (SELECT max(l.id) FROM meridian.change l
              WHERE l.rel = relation AND l.pk::text = t.pk AND l.op = 'd' AND l.seq IS NULL AND l.xid = pg_current_xact_id())
       FROM taken t);
END
$$;

-- Rows that one statement gave other keys, old_keys[i] going on as new_keys[i], keep the excess of their counters. What was
-- logged of the new keys are the values that showed, so the result is what is to be logged beside that.
CREATE FUNCTION meridian.carry_excess(relation text, old_keys text[], new_keys text[])
RETURNS TABLE (key text, differences json)
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  held json := (SELECT json_agg(e) FROM meridian.counter_excess e WHERE e.rel = relation AND e.pk = ANY (old_keys));
BEGIN
  PERFORM meridian.take_excess(relation, ARRAY(SELECT unnest(old_keys) EXCEPT SELECT unnest(new_keys)));
  DELETE FROM meridian.counter_excess e WHERE e.rel = relation AND e.pk = ANY (old_keys);
  INSERT INTO meridian.counter_excess (rel, pk, column_name, excess)
  SELECT relation, moved.new_key, h.column_name, h.excess
    FROM json_to_recordset(held) AS h(pk text, column_name text, excess numeric)
    JOIN unnest(old_keys, new_keys) AS moved(old_key, new_key) ON moved.old_key = h.pk;
  RETURN QUERY
  SELECT d.pk, json_object_agg(d.column_name, d.difference::text)
    FROM (SELECT s.pk, s.column_name, sum(s.excess) AS difference
            FROM (SELECT e.pk, e.column_name, e.excess FROM meridian.counter_excess e
                   WHERE e.rel = relation AND e.pk = ANY (new_keys)
                   UNION ALL
                  SELECT h.pk, h.column_name, -h.excess
                    FROM json_to_recordset(held) AS h(pk text, column_name text, excess numeric)
                   WHERE h.pk = ANY (new_keys)) s
           GROUP BY s.pk, s.column_name HAVING sum(s.excess) <> 0) d
   GROUP BY d.pk;
END
$$;

-- The next stamp of this region, as the capture functions take it inline: the clock (its microseconds in the low bits), or one
-- more than the last given out or applied.
CREATE FUNCTION meridian.next_stamp() RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  clock bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp bigint := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp bigint := nextval('meridian.stamp');
BEGIN
  RETURN CASE WHEN stamp < now_stamp THEN setval('meridian.stamp', now_stamp) ELSE stamp END;
END
$$;
`;
