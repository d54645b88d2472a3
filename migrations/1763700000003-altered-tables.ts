import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Capture of a table that was altered, until its functions are generated anew (ADR 11). */
export class AlteredTables1763700000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(FUNCTIONS);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
DROP FUNCTION meridian.altered_capture(regclass, text, json, regclass), meridian.shape(regclass), meridian.set_output(json)`);
  }
}

const FUNCTIONS = /* sql */ `
-- A table's name, and its columns with their types. IMMUTABLE is not true, and meant: PostgreSQL then computes it when it plans
-- the expression that it stands in, and plans that anew when the table named by the regclass constant was altered. So a
-- capture function knows at every statement whether the table is the one it was generated for, and it costs nothing.
-- By the row type, which is always the present one, and not by pg_attribute: that is read as of the transaction's snapshot.
CREATE FUNCTION meridian.shape(relation regclass) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
  names json;
  columns text;
BEGIN
  EXECUTE format('SELECT row_to_json(r.*) FROM (SELECT (NULL::%s).*) r', relation) INTO names;
  SELECT string_agg(format('%L || pg_typeof(r.%I)', name || ' ', name), ', ') INTO columns FROM json_object_keys(names) name;
  EXECUTE format('SELECT array_to_string(ARRAY[%s], '', '') FROM (SELECT (NULL::%s).*) r', columns, relation) INTO columns;
  RETURN format('%s (%s)', relation, columns);
END
$$;

-- Settings to these values, until the end of the transaction; gives what they were.
CREATE FUNCTION meridian.set_output(settings json) RETURNS json
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  before json;
BEGIN
  SELECT json_object_agg(key, current_setting(key)) INTO before FROM json_each_text(settings);
  PERFORM set_config(key, value, true) FROM json_each_text(settings);
  RETURN before;
END
$$;

-- The SQL that logs a statement's rows when their table is not the one that its capture was generated for: all columns that it
-- has now, renamed ones under the names that the regions know. Row o is as it was before, n as it is now. For a TRUNCATE the rows
-- are those of the relation truncated. Its parameters: $1 stamp, $2 actor, $3 clock, $4 the statement's number.
-- agreed: {"origin", "rel", "epoch", "row", "columns": {attnum: name}, "key": [attnum], "counters": [attnum], "registers": [[attnum]]}
-- Two things are left to what is generated soon: touches of parents, and walls by a column (until then the clock is the wall).
CREATE FUNCTION meridian.altered_capture(relation regclass, op text, agreed json, truncated regclass) RETURNS text
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
  made record;
  into_log constant text := format(
    'INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before) SELECT %L, %L, $1, %s, $2, $4,',
    agreed->>'origin', agreed->>'rel', agreed->>'epoch');
BEGIN
  WITH attribute AS (
    SELECT a.attnum::int AS attnum, a.attname, format_type(a.atttypid, NULL) AS type, a.attgenerated <> '' AS generated,
           coalesce(agreed->'columns'->>a.attnum::text, a.attname) AS name, (
             WITH RECURSIVE below AS (
               SELECT a.atttypid AS oid
               UNION ALL SELECT t.typbasetype FROM below b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
             SELECT b.oid FROM below b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd') AS base
      FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped),
  value AS (
    SELECT a.*, r.alias, CASE WHEN base = 'bpchar'::regtype THEN format('textin(bpcharout(%s.%I))', r.alias, attname)
                              ELSE format('%s.%I::text', r.alias, attname) END AS text
      FROM attribute a, (VALUES ('o'), ('n')) AS r(alias) WHERE NOT generated),
  member AS (
    SELECT attnum, alias, format('concat(%L, coalesce(to_json(%s)::text, ''null''))', ',' || to_json(name) || ':', text) AS text,
           format('ROW(o.%1$I)::record *<> ROW(n.%1$I)::record', attname) AS differs,
           format('concat(%L, meridian.finite(n.%2$I::numeric) - o.%2$I::numeric, ''"'')', ',' || to_json(name) || ':"', attname) AS difference
      FROM value),
  key_part AS (
    SELECT v.*, k.place, CASE WHEN base = 'numeric'::regtype THEN format('trim_scale(%s.%I)::text', alias, attname) ELSE text END AS key_text
      FROM json_array_elements_text(agreed->'key') WITH ORDINALITY AS k(number, place) JOIN value v ON v.attnum = k.number::int),
  key AS (
    SELECT alias, count(*) AS parts, format('json_build_array(%s)', string_agg(key_text, ', ' ORDER BY place)) AS text,
           string_agg(format('o.%1$I = n.%1$I', attname), ' AND ') AS joined,
           string_agg(format('o.%1$I = t.%1$I', attname), ' AND ') AS there,
           (array_agg(quote_ident(attname) ORDER BY place))[1] AS first_column
      FROM key_part GROUP BY alias),
  moved AS (SELECT format('o.%1$s IS DISTINCT FROM n.%1$s', first_column) AS text FROM key WHERE alias = 'n'),
  counter AS (
    SELECT v.attnum FROM json_array_elements_text(agreed->'counters') AS c(number) JOIN value v ON v.attnum = c.number::int
     WHERE alias = 'n' AND base IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)),
  agreed_register AS (
    SELECT r.place, c.number::int AS attnum
      FROM json_array_elements(agreed->'registers') WITH ORDINALITY AS r(columns, place), json_array_elements_text(r.columns) AS c(number)),
  register AS (
    SELECT place, attnum FROM agreed_register
    UNION ALL
    SELECT CASE WHEN (agreed->>'row')::boolean THEN 1 ELSE 10000 + attnum END, attnum FROM value
     WHERE alias = 'n' AND attnum NOT IN (SELECT attnum FROM agreed_register UNION SELECT attnum FROM counter UNION SELECT attnum FROM key_part)),
  written AS (
    SELECT alias, NULL AS differs, format('CASE WHEN %s THEN %s END', moved.text, m.text) AS text
      FROM moved, member m WHERE attnum IN (SELECT attnum FROM key_part)
    UNION ALL
    SELECT alias, string_agg(differs, ' OR '),
           format('CASE WHEN %s OR %s THEN %s END', string_agg(differs, ' OR '), min(moved.text), string_agg(m.text, ' || '))
      FROM moved, register JOIN member m USING (attnum) GROUP BY alias, place
    UNION ALL
    SELECT alias, differs, CASE alias
             WHEN 'o' THEN format('CASE WHEN %s OR %s THEN %s END', differs, moved.text, m.text)
             ELSE format('CASE WHEN %s THEN %s WHEN %s THEN %s END', moved.text, m.text, differs, difference) END
      FROM moved, counter JOIN member m USING (attnum)),
  of_row AS (
    SELECT r.alias, format('(''{'' || substr(%s, 2) || ''}'')::json', (SELECT string_agg(m.text, ' || ') FROM member m WHERE m.alias = r.alias)) AS whole,
           format('(''{'' || substr(%s, 2) || ''}'')::json',
                  (SELECT string_agg(format('coalesce(%s, '''')', w.text), ' || ') FROM written w WHERE w.alias = r.alias)) AS written
      FROM (VALUES ('o'), ('n')) AS r(alias))
  SELECT (SELECT format('%s (%s)', relation, string_agg(attname || ' ' || type, ', ' ORDER BY attnum)) FROM attribute) AS shape,
         (SELECT concat_ws(' OR ', min(moved.text), string_agg(differs, ' OR ')) FROM moved, written WHERE alias = 'n') AS differs,
         o.text AS old_key, n.text AS new_key, n.parts, n.joined, n.there, n.first_column,
         old.whole AS old_row, new.whole AS new_row, old.written AS old_written, new.written AS new_written
    INTO made
    FROM of_row old, of_row new LEFT JOIN key o ON o.alias = 'o' LEFT JOIN key n ON n.alias = 'n'
   WHERE old.alias = 'o' AND new.alias = 'n';
  IF made.shape <> meridian.shape(relation) THEN
    RAISE EXCEPTION '% was altered after this transaction had begun', relation USING ERRCODE = 'serialization_failure', HINT = 'Take it again.';
  ELSIF made.parts IS DISTINCT FROM json_array_length(agreed->'key') THEN
    RAISE EXCEPTION 'a key column of the replicated table % was dropped: its rows cannot be told apart', agreed->>'rel'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give it a primary key and enrol it again, or enrol it no more.';
  END IF;
  RETURN into_log || CASE op
    WHEN 'INSERT' THEN format(' ''i'', %s, $3, %s, NULL FROM new_rows n', made.new_key, made.new_row)
    WHEN 'UPDATE' THEN format($sql$
      (CASE WHEN n.%1$s IS NULL THEN 'd' WHEN o.%1$s IS NULL THEN 'i' ELSE 'u' END)::"char",
      CASE WHEN n.%1$s IS NULL THEN %2$s ELSE %3$s END, $3,
      CASE WHEN n.%1$s IS NULL THEN '{}' ELSE %4$s END, CASE WHEN o.%1$s IS NULL THEN NULL ELSE %5$s END
      FROM old_rows o FULL JOIN new_rows n ON %6$s WHERE %7$s ORDER BY n.%1$s IS NULL DESC$sql$,
      made.first_column, made.old_key, made.new_key, made.new_written, made.old_written, made.joined, made.differs)
    WHEN 'TRUNCATE' THEN format(' ''d'', %s, $3, NULL, %s FROM ONLY %s o', made.old_key, made.old_row, truncated)
    -- An insert with the key of a row that the same statement deletes may have been logged before: see moveInsertsBehind.
    WHEN 'DELETE' THEN format($sql$ 'd', %1$s, $3, NULL, %2$s FROM old_rows o;
      UPDATE meridian.change SET id = nextval('meridian.change_id'), number = $4
       WHERE id IN (
         SELECT (SELECT max(l.id) FROM meridian.change l
                  WHERE l.rel = %3$L AND l.pk::text = %1$s::text AND l.xid = pg_current_xact_id() AND l.seq IS NULL AND l.op = 'i'
                    AND ($4 IS NULL OR l.number <= $4)
                    AND l.cmin::text::bigint > (SELECT t.cmin::text::bigint FROM %4$s t WHERE %5$s))
           FROM old_rows o)$sql$,
      made.old_key, made.old_row, agreed->>'rel', relation, made.there)
  END;
END
$$;
`;
