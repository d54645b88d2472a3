CREATE OR REPLACE FUNCTION meridian.capture_b2852c9ff2f8_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS $capture$
#variable_conflict use_variable
<<capture>>
DECLARE
  clock bigint;
  now_stamp bigint;
  stamp bigint;
  actor text;
  output json;
  number bigint;
BEGIN
  IF session_user = 'meridian_apply_0123456789' THEN
    RETURN NULL;
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp := nextval('meridian.stamp');
  actor := coalesce(nullif(current_setting('meridian.actor', true), ''), session_user) || E'\t' ||
           coalesce(nullif(current_setting('meridian.application', true), ''), current_setting('application_name'));
  number := meridian.pop_statement(TG_RELID, TG_OP);
  IF stamp < now_stamp THEN
    stamp := setval('meridian.stamp', now_stamp);
  END IF;
  IF meridian.shape('16384'::regclass) <> 'public.orders (id bigint, region "char", customer bigint, payer bigint, code text, note text, amount numeric, currency text, total numeric, seen integer, at timestamp with time zone, attributes jsonb)' THEN
    output := meridian.set_output('{"DateStyle":"ISO, YMD","IntervalStyle":"postgres","TimeZone":"UTC","extra_float_digits":"1","bytea_output":"hex","lc_monetary":"C","xmloption":"content"}');
    EXECUTE meridian.altered_capture('16384'::regclass, TG_OP, '{"origin":"eu","rel":"public.orders","epoch":7,"row":false,"columns":{"1":"id","2":"region","3":"customer","4":"payer","5":"code","6":"note","7":"amount","8":"currency","9":"total","10":"seen","11":"at","12":"attributes"},"key":[1,2],"counters":[10],"registers":[[3],[4,5],[6],[7,8],[11],[12]]}', NULL)
      USING stamp, actor, clock, number;
    PERFORM meridian.set_output(output);
    RETURN NULL;
  END IF;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before, id, ranks)
  SELECT 'eu', 'public.orders', stamp, 7, actor, number,
    'i',
    json_build_array(n."id"::text, n."region"::text),
    clock,
    concat('{"id":"',
      n."id",
      '"',
      ',"region":',
      to_json(n."region"::text),
      ',"customer":',
      coalesce(to_json(n."customer"::text), 'null'),
      ',"payer":',
      coalesce(to_json(n."payer"::text), 'null'),
      ',"code":',
      coalesce(to_json(n."code"), 'null'),
      ',"note":',
      coalesce(to_json(n."note"), 'null'),
      ',"amount":"',
      n."amount",
      '"',
      ',"currency":',
      to_json(n."currency"),
      ',"seen":"',
      n."seen",
      '"',
      ',"at":',
      coalesce(to_json(n."at"::text), 'null'),
      ',"attributes":',
      coalesce(to_json(n."attributes"::text), 'null'),
      '}')::json,
    NULL,
    c.id,
    ('{' || substr(concat(concat(',"note":["', stamp, '","', CASE WHEN isfinite(n."at") THEN (extract(epoch FROM n."at") * 1000000)::bigint WHEN n."at" > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775808 END, '","', c.id, '"]')), 2) || '}')::json
    FROM new_rows n
   CROSS JOIN LATERAL (SELECT nextval('meridian.change_id') AS id WHERE NOT (n."id" IS NULL) OFFSET 0) c;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT 'eu', 'public.customers', stamp, 3, actor, NULL, 'u', p.pk::json, clock, '{}', '{}'
    FROM (SELECT DISTINCT (json_build_array(n."payer"::bigint::text))::text AS pk FROM new_rows n WHERE n."code" IS NOT NULL AND n."payer" IS NOT NULL) p
   WHERE p.pk IS NOT NULL;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT 'eu', 'public.customers', stamp, 3, actor, NULL, 'u', p.pk::json, clock, '{}', '{}'
    FROM (SELECT DISTINCT (json_build_array(n."customer"::bigint::text))::text AS pk FROM new_rows n WHERE n."customer" IS NOT NULL) p
   WHERE p.pk IS NOT NULL;
  RETURN NULL;
END
$capture$;

CREATE OR REPLACE FUNCTION meridian.capture_b2852c9ff2f8_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS $capture$
#variable_conflict use_variable
<<capture>>
DECLARE
  clock bigint;
  now_stamp bigint;
  stamp bigint;
  actor text;
  output json;
  number bigint;
  logged bigint;
BEGIN
  IF session_user = 'meridian_apply_0123456789' THEN
    RETURN NULL;
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp := nextval('meridian.stamp');
  actor := coalesce(nullif(current_setting('meridian.actor', true), ''), session_user) || E'\t' ||
           coalesce(nullif(current_setting('meridian.application', true), ''), current_setting('application_name'));
  number := meridian.pop_statement(TG_RELID, TG_OP);
  IF stamp < now_stamp THEN
    stamp := setval('meridian.stamp', now_stamp);
  END IF;
  IF meridian.shape('16384'::regclass) <> 'public.orders (id bigint, region "char", customer bigint, payer bigint, code text, note text, amount numeric, currency text, total numeric, seen integer, at timestamp with time zone, attributes jsonb)' THEN
    output := meridian.set_output('{"DateStyle":"ISO, YMD","IntervalStyle":"postgres","TimeZone":"UTC","extra_float_digits":"1","bytea_output":"hex","lc_monetary":"C","xmloption":"content"}');
    EXECUTE meridian.altered_capture('16384'::regclass, TG_OP, '{"origin":"eu","rel":"public.orders","epoch":7,"row":false,"columns":{"1":"id","2":"region","3":"customer","4":"payer","5":"code","6":"note","7":"amount","8":"currency","9":"total","10":"seen","11":"at","12":"attributes"},"key":[1,2],"counters":[10],"registers":[[3],[4,5],[6],[7,8],[11],[12]]}', NULL)
      USING stamp, actor, clock, number;
    PERFORM meridian.set_output(output);
    RETURN NULL;
  END IF;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before, id, ranks)
  SELECT 'eu', 'public.orders', stamp, 7, actor, number,
    'u',
    json_build_array(n."id"::text, n."region"::text),
    clock,
    ('{' || substr(concat(CASE WHEN o."customer" IS DISTINCT FROM n."customer" THEN CASE WHEN n."customer" IS NULL THEN ',"customer":null' ELSE concat(',"customer":"', n."customer", '"') END END,
      CASE WHEN o."payer" IS DISTINCT FROM n."payer" OR o."code" IS DISTINCT FROM n."code" THEN concat(CASE WHEN n."payer" IS NULL THEN ',"payer":null' ELSE concat(',"payer":"', n."payer", '"') END,
      concat(',"code":', coalesce(to_json(n."code"), 'null'))) END,
      CASE WHEN o."note" IS DISTINCT FROM n."note" THEN concat(',"note":', coalesce(to_json(n."note"), 'null')) END,
      CASE WHEN ROW(o."amount")::record *<> ROW(n."amount")::record OR o."currency" IS DISTINCT FROM n."currency" THEN concat(concat(',"amount":"', n."amount", '"'),
      concat(',"currency":', to_json(n."currency"))) END,
      CASE WHEN o."at" IS DISTINCT FROM n."at" THEN CASE WHEN n."at" IS NULL THEN ',"at":null' ELSE concat(',"at":"', n."at", '"') END END,
      CASE WHEN ROW(o."attributes")::record *<> ROW(n."attributes")::record THEN concat(',"attributes":', coalesce(to_json(n."attributes"::text), 'null')) END,
      CASE WHEN o."seen" IS DISTINCT FROM n."seen" THEN concat(',"seen":"', n."seen"::bigint - o."seen", '"') END), 2) || '}')::json,
    ('{' || substr(concat(CASE WHEN o."customer" IS DISTINCT FROM n."customer" THEN CASE WHEN o."customer" IS NULL THEN ',"customer":null' ELSE concat(',"customer":"', o."customer", '"') END END,
      CASE WHEN o."payer" IS DISTINCT FROM n."payer" OR o."code" IS DISTINCT FROM n."code" THEN concat(CASE WHEN o."payer" IS NULL THEN ',"payer":null' ELSE concat(',"payer":"', o."payer", '"') END,
      concat(',"code":', coalesce(to_json(o."code"), 'null'))) END,
      CASE WHEN o."note" IS DISTINCT FROM n."note" THEN concat(',"note":', coalesce(to_json(o."note"), 'null')) END,
      CASE WHEN ROW(o."amount")::record *<> ROW(n."amount")::record OR o."currency" IS DISTINCT FROM n."currency" THEN concat(concat(',"amount":"', o."amount", '"'),
      concat(',"currency":', to_json(o."currency"))) END,
      CASE WHEN o."at" IS DISTINCT FROM n."at" THEN CASE WHEN o."at" IS NULL THEN ',"at":null' ELSE concat(',"at":"', o."at", '"') END END,
      CASE WHEN ROW(o."attributes")::record *<> ROW(n."attributes")::record THEN concat(',"attributes":', coalesce(to_json(o."attributes"::text), 'null')) END,
      CASE WHEN o."seen" IS DISTINCT FROM n."seen" THEN concat(',"seen":"', o."seen", '"') END), 2) || '}')::json,
    c.id,
    ('{' || substr(concat(CASE WHEN o."note" IS DISTINCT FROM n."note" THEN concat(',"note":["', stamp, '","', CASE WHEN isfinite(n."at") THEN (extract(epoch FROM n."at") * 1000000)::bigint WHEN n."at" > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775808 END, '","', c.id, '"]') END), 2) || '}')::json
    FROM old_rows o FULL JOIN new_rows n ON o."id" = n."id" AND o."region" = n."region"
   CROSS JOIN LATERAL (SELECT nextval('meridian.change_id') AS id WHERE NOT (n."id" IS NULL AND o."id" IS NULL) OFFSET 0) c
   WHERE CASE WHEN o."id" IS NULL OR n."id" IS NULL THEN set_config('meridian.moved', 'd', true) IS NULL
     ELSE o."customer" IS DISTINCT FROM n."customer"
     OR o."payer" IS DISTINCT FROM n."payer"
     OR o."code" IS DISTINCT FROM n."code"
     OR o."note" IS DISTINCT FROM n."note"
     OR ROW(o."amount")::record *<> ROW(n."amount")::record
     OR o."currency" IS DISTINCT FROM n."currency"
     OR o."at" IS DISTINCT FROM n."at"
     OR ROW(o."attributes")::record *<> ROW(n."attributes")::record
     OR o."seen" IS DISTINCT FROM n."seen" END;
  GET DIAGNOSTICS logged = ROW_COUNT;
  IF current_setting('meridian.moved', true) = 'd' THEN
    PERFORM set_config('meridian.moved', '', true);
    DELETE FROM meridian.change WHERE id IN (
      SELECT id FROM meridian.change WHERE seq IS NULL AND xid = pg_current_xact_id() ORDER BY id DESC LIMIT logged);
    INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before, id, ranks)
    SELECT 'eu', 'public.orders', stamp, 7, actor, number,
      (CASE WHEN n."id" IS NULL THEN 'd' WHEN o."id" IS NULL THEN 'i' ELSE 'u' END)::"char",
      CASE WHEN n."id" IS NULL THEN json_build_array(o."id"::text, o."region"::text) ELSE json_build_array(n."id"::text, n."region"::text) END,
      clock,
      CASE WHEN n."id" IS NULL THEN '{}' ELSE ('{' || substr(concat(CASE WHEN o."id" IS DISTINCT FROM n."id" THEN concat(',"id":"', n."id", '"') END,
        CASE WHEN o."id" IS DISTINCT FROM n."id" THEN concat(',"region":', to_json(n."region"::text)) END,
        CASE WHEN o."customer" IS DISTINCT FROM n."customer" OR o."id" IS DISTINCT FROM n."id" THEN CASE WHEN n."customer" IS NULL THEN ',"customer":null' ELSE concat(',"customer":"', n."customer", '"') END END,
        CASE WHEN o."payer" IS DISTINCT FROM n."payer" OR o."code" IS DISTINCT FROM n."code" OR o."id" IS DISTINCT FROM n."id" THEN concat(CASE WHEN n."payer" IS NULL THEN ',"payer":null' ELSE concat(',"payer":"', n."payer", '"') END,
        concat(',"code":', coalesce(to_json(n."code"), 'null'))) END,
        CASE WHEN o."note" IS DISTINCT FROM n."note" OR o."id" IS DISTINCT FROM n."id" THEN concat(',"note":', coalesce(to_json(n."note"), 'null')) END,
        CASE WHEN ROW(o."amount")::record *<> ROW(n."amount")::record OR o."currency" IS DISTINCT FROM n."currency" OR o."id" IS DISTINCT FROM n."id" THEN concat(concat(',"amount":"', n."amount", '"'),
        concat(',"currency":', to_json(n."currency"))) END,
        CASE WHEN o."at" IS DISTINCT FROM n."at" OR o."id" IS DISTINCT FROM n."id" THEN CASE WHEN n."at" IS NULL THEN ',"at":null' ELSE concat(',"at":"', n."at", '"') END END,
        CASE WHEN ROW(o."attributes")::record *<> ROW(n."attributes")::record OR o."id" IS DISTINCT FROM n."id" THEN concat(',"attributes":', coalesce(to_json(n."attributes"::text), 'null')) END,
        CASE WHEN o."id" IS DISTINCT FROM n."id" THEN concat(',"seen":"', n."seen", '"') WHEN o."seen" IS DISTINCT FROM n."seen" THEN concat(',"seen":"', n."seen"::bigint - o."seen", '"') END), 2) || '}')::json END,
      CASE WHEN o."id" IS NULL THEN NULL ELSE ('{' || substr(concat(CASE WHEN o."id" IS DISTINCT FROM n."id" THEN concat(',"id":"', o."id", '"') END,
        CASE WHEN o."id" IS DISTINCT FROM n."id" THEN concat(',"region":', to_json(o."region"::text)) END,
        CASE WHEN o."customer" IS DISTINCT FROM n."customer" OR o."id" IS DISTINCT FROM n."id" THEN CASE WHEN o."customer" IS NULL THEN ',"customer":null' ELSE concat(',"customer":"', o."customer", '"') END END,
        CASE WHEN o."payer" IS DISTINCT FROM n."payer" OR o."code" IS DISTINCT FROM n."code" OR o."id" IS DISTINCT FROM n."id" THEN concat(CASE WHEN o."payer" IS NULL THEN ',"payer":null' ELSE concat(',"payer":"', o."payer", '"') END,
        concat(',"code":', coalesce(to_json(o."code"), 'null'))) END,
        CASE WHEN o."note" IS DISTINCT FROM n."note" OR o."id" IS DISTINCT FROM n."id" THEN concat(',"note":', coalesce(to_json(o."note"), 'null')) END,
        CASE WHEN ROW(o."amount")::record *<> ROW(n."amount")::record OR o."currency" IS DISTINCT FROM n."currency" OR o."id" IS DISTINCT FROM n."id" THEN concat(concat(',"amount":"', o."amount", '"'),
        concat(',"currency":', to_json(o."currency"))) END,
        CASE WHEN o."at" IS DISTINCT FROM n."at" OR o."id" IS DISTINCT FROM n."id" THEN CASE WHEN o."at" IS NULL THEN ',"at":null' ELSE concat(',"at":"', o."at", '"') END END,
        CASE WHEN ROW(o."attributes")::record *<> ROW(n."attributes")::record OR o."id" IS DISTINCT FROM n."id" THEN concat(',"attributes":', coalesce(to_json(o."attributes"::text), 'null')) END,
        CASE WHEN o."seen" IS DISTINCT FROM n."seen" OR o."id" IS DISTINCT FROM n."id" THEN concat(',"seen":"', o."seen", '"') END), 2) || '}')::json END,
      c.id,
      CASE WHEN n."id" IS NULL THEN NULL ELSE ('{' || substr(concat(CASE WHEN o."note" IS DISTINCT FROM n."note" OR o."id" IS DISTINCT FROM n."id" THEN concat(',"note":["', stamp, '","', CASE WHEN isfinite(n."at") THEN (extract(epoch FROM n."at") * 1000000)::bigint WHEN n."at" > 'epoch' THEN 9223372036854775807 ELSE -9223372036854775808 END, '","', c.id, '"]') END), 2) || '}')::json END
      FROM old_rows o FULL JOIN new_rows n ON o."id" = n."id" AND o."region" = n."region"
     CROSS JOIN LATERAL (SELECT nextval('meridian.change_id') AS id WHERE NOT (n."id" IS NULL AND o."id" IS NULL) OFFSET 0) c
     WHERE o."id" IS DISTINCT FROM n."id"
       OR o."customer" IS DISTINCT FROM n."customer"
       OR o."payer" IS DISTINCT FROM n."payer"
       OR o."code" IS DISTINCT FROM n."code"
       OR o."note" IS DISTINCT FROM n."note"
       OR ROW(o."amount")::record *<> ROW(n."amount")::record
       OR o."currency" IS DISTINCT FROM n."currency"
       OR o."at" IS DISTINCT FROM n."at"
       OR ROW(o."attributes")::record *<> ROW(n."attributes")::record
       OR o."seen" IS DISTINCT FROM n."seen";
  IF EXISTS (SELECT FROM old_rows o WHERE (SELECT true FROM public.orders t WHERE t."id" = o."id" AND t."region" = o."region")) THEN
      UPDATE meridian.change SET id = nextval('meridian.change_id'), number = capture.number
       WHERE id IN (
         SELECT (SELECT max(l.id) FROM meridian.change l
                  WHERE l.rel = 'public.orders' AND l.pk::text = json_build_array(o."id"::text, o."region"::text)::text
                    AND l.xid = pg_current_xact_id() AND l.seq IS NULL AND l.op = 'i' AND l.number <= capture.number
                    AND l.cmin::text::bigint > (SELECT t.cmin::text::bigint FROM public.orders t WHERE t."id" = o."id" AND t."region" = o."region"))
           FROM old_rows o);
    END IF;
    IF EXISTS (SELECT FROM meridian.counter_excess e WHERE e.rel = 'public.orders') THEN
      INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
        SELECT 'eu', 'public.orders', stamp, 7, actor, number, 'u', e.key::json, clock, e.differences, '{}'
          FROM meridian.carry_excess('public.orders', ARRAY(SELECT json_build_array(o."id"::text, o."region"::text)::text FROM old_rows o), ARRAY(SELECT json_build_array(n."id"::text, n."region"::text)::text FROM new_rows n)) e
          JOIN new_rows n ON json_build_array(n."id"::text, n."region"::text)::text = e.key;
    END IF;
  END IF;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT 'eu', 'public.customers', stamp, 3, actor, NULL, 'u', p.pk::json, clock, '{}', '{}'
    FROM (SELECT DISTINCT CASE WHEN n."code" IS NOT NULL AND n."payer" IS NOT NULL AND (o."id" IS NULL OR o."code" IS DISTINCT FROM n."code" OR o."payer" IS DISTINCT FROM n."payer") THEN (json_build_array(n."payer"::bigint::text))::text END AS pk
            FROM old_rows o FULL JOIN new_rows n ON o."id" = n."id" AND o."region" = n."region") p
   WHERE p.pk IS NOT NULL;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT 'eu', 'public.customers', stamp, 3, actor, NULL, 'u', p.pk::json, clock, '{}', '{}'
    FROM (SELECT DISTINCT CASE WHEN n."customer" IS NOT NULL AND (o."id" IS NULL OR o."customer" IS DISTINCT FROM n."customer") THEN (json_build_array(n."customer"::bigint::text))::text END AS pk
            FROM old_rows o FULL JOIN new_rows n ON o."id" = n."id" AND o."region" = n."region") p
   WHERE p.pk IS NOT NULL;
  RETURN NULL;
END
$capture$;

CREATE OR REPLACE FUNCTION meridian.capture_b2852c9ff2f8_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS $capture$
#variable_conflict use_variable
<<capture>>
DECLARE
  clock bigint;
  now_stamp bigint;
  stamp bigint;
  actor text;
  output json;
  number bigint;
BEGIN
  IF session_user = 'meridian_apply_0123456789' THEN
    RETURN NULL;
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp := nextval('meridian.stamp');
  actor := coalesce(nullif(current_setting('meridian.actor', true), ''), session_user) || E'\t' ||
           coalesce(nullif(current_setting('meridian.application', true), ''), current_setting('application_name'));
  number := meridian.pop_statement(TG_RELID, TG_OP);
  IF stamp < now_stamp THEN
    stamp := setval('meridian.stamp', now_stamp);
  END IF;
  IF meridian.shape('16384'::regclass) <> 'public.orders (id bigint, region "char", customer bigint, payer bigint, code text, note text, amount numeric, currency text, total numeric, seen integer, at timestamp with time zone, attributes jsonb)' THEN
    output := meridian.set_output('{"DateStyle":"ISO, YMD","IntervalStyle":"postgres","TimeZone":"UTC","extra_float_digits":"1","bytea_output":"hex","lc_monetary":"C","xmloption":"content"}');
    EXECUTE meridian.altered_capture('16384'::regclass, TG_OP, '{"origin":"eu","rel":"public.orders","epoch":7,"row":false,"columns":{"1":"id","2":"region","3":"customer","4":"payer","5":"code","6":"note","7":"amount","8":"currency","9":"total","10":"seen","11":"at","12":"attributes"},"key":[1,2],"counters":[10],"registers":[[3],[4,5],[6],[7,8],[11],[12]]}', NULL)
      USING stamp, actor, clock, number;
    PERFORM meridian.set_output(output);
    RETURN NULL;
  END IF;
  INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
  SELECT 'eu', 'public.orders', stamp, 7, actor, number,
    'd',
    json_build_array(o."id"::text, o."region"::text),
    clock,
    NULL,
    concat('{"id":"',
      o."id",
      '"',
      ',"region":',
      to_json(o."region"::text),
      ',"customer":',
      coalesce(to_json(o."customer"::text), 'null'),
      ',"payer":',
      coalesce(to_json(o."payer"::text), 'null'),
      ',"code":',
      coalesce(to_json(o."code"), 'null'),
      ',"note":',
      coalesce(to_json(o."note"), 'null'),
      ',"amount":"',
      o."amount",
      '"',
      ',"currency":',
      to_json(o."currency"),
      ',"seen":"',
      o."seen",
      '"',
      ',"at":',
      coalesce(to_json(o."at"::text), 'null'),
      ',"attributes":',
      coalesce(to_json(o."attributes"::text), 'null'),
      '}')::json
    FROM old_rows o;
  IF EXISTS (SELECT FROM old_rows o WHERE (SELECT true FROM public.orders t WHERE t."id" = o."id" AND t."region" = o."region")) THEN
    UPDATE meridian.change SET id = nextval('meridian.change_id'), number = capture.number
     WHERE id IN (
       SELECT (SELECT max(l.id) FROM meridian.change l
                WHERE l.rel = 'public.orders' AND l.pk::text = json_build_array(o."id"::text, o."region"::text)::text
                  AND l.xid = pg_current_xact_id() AND l.seq IS NULL AND l.op = 'i' AND l.number <= capture.number
                  AND l.cmin::text::bigint > (SELECT t.cmin::text::bigint FROM public.orders t WHERE t."id" = o."id" AND t."region" = o."region"))
         FROM old_rows o);
  END IF;
  IF EXISTS (SELECT FROM meridian.counter_excess e WHERE e.rel = 'public.orders') THEN
    PERFORM meridian.take_excess('public.orders', ARRAY(SELECT json_build_array(o."id"::text, o."region"::text)::text FROM old_rows o));
  END IF;
  RETURN NULL;
END
$capture$;

CREATE OR REPLACE FUNCTION meridian.capture_b2852c9ff2f8_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' AS $capture$
#variable_conflict use_variable
<<capture>>
DECLARE
  clock bigint;
  now_stamp bigint;
  stamp bigint;
  actor text;
  output json;
BEGIN
  IF session_user = 'meridian_apply_0123456789' THEN
    RETURN NULL;
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  now_stamp := clock / 1000 * 65536 + clock % 1000 * 65;
  stamp := nextval('meridian.stamp');
  actor := coalesce(nullif(current_setting('meridian.actor', true), ''), session_user) || E'\t' ||
           coalesce(nullif(current_setting('meridian.application', true), ''), current_setting('application_name'));
  IF stamp < now_stamp THEN
    stamp := setval('meridian.stamp', now_stamp);
  END IF;
  IF meridian.shape('16384'::regclass) <> 'public.orders (id bigint, region "char", customer bigint, payer bigint, code text, note text, amount numeric, currency text, total numeric, seen integer, at timestamp with time zone, attributes jsonb)' THEN
    output := meridian.set_output('{"DateStyle":"ISO, YMD","IntervalStyle":"postgres","TimeZone":"UTC","extra_float_digits":"1","bytea_output":"hex","lc_monetary":"C","xmloption":"content"}');
    EXECUTE meridian.altered_capture('16384'::regclass, TG_OP, '{"origin":"eu","rel":"public.orders","epoch":7,"row":false,"columns":{"1":"id","2":"region","3":"customer","4":"payer","5":"code","6":"note","7":"amount","8":"currency","9":"total","10":"seen","11":"at","12":"attributes"},"key":[1,2],"counters":[10],"registers":[[3],[4,5],[6],[7,8],[11],[12]]}', TG_RELID::regclass)
      USING stamp, actor, clock, nextval('meridian.change_id');
    PERFORM meridian.set_output(output);
    RETURN NULL;
  END IF;
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a replicated table needs READ COMMITTED: this transaction''s snapshot may not see all rows'
      USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE, or a READ COMMITTED transaction.';
  END IF;
  EXECUTE '
    INSERT INTO meridian.change (origin, rel, stamp, epoch, actor, number, op, pk, wall, patch, before)
    SELECT ''eu'', ''public.orders'', $1, 7, $2, nextval(''meridian.change_id''), ''d'', json_build_array(o."id"::text, o."region"::text), $3, NULL,
      concat(''{"id":"'',
      o."id",
      ''"'',
      '',"region":'',
      to_json(o."region"::text),
      '',"customer":'',
      coalesce(to_json(o."customer"::text), ''null''),
      '',"payer":'',
      coalesce(to_json(o."payer"::text), ''null''),
      '',"code":'',
      coalesce(to_json(o."code"), ''null''),
      '',"note":'',
      coalesce(to_json(o."note"), ''null''),
      '',"amount":"'',
      o."amount",
      ''"'',
      '',"currency":'',
      to_json(o."currency"),
      '',"seen":"'',
      o."seen",
      ''"'',
      '',"at":'',
      coalesce(to_json(o."at"::text), ''null''),
      '',"attributes":'',
      coalesce(to_json(o."attributes"::text), ''null''),
      ''}'')::json
      FROM ONLY ' || format('%I.%I o', TG_TABLE_SCHEMA, TG_TABLE_NAME) USING stamp, actor, clock;
  IF EXISTS (SELECT FROM meridian.counter_excess e WHERE e.rel = 'public.orders') THEN
    EXECUTE 'SELECT meridian.take_excess(''public.orders'', array_agg(json_build_array(o."id"::text, o."region"::text)::text)) FROM ONLY ' || format('%I.%I o', TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END
$capture$;

CREATE OR REPLACE TRIGGER meridian_insert AFTER INSERT ON "public"."orders" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION meridian.capture_b2852c9ff2f8_insert();
ALTER TABLE ONLY "public"."orders" ENABLE ALWAYS TRIGGER meridian_insert;
CREATE OR REPLACE TRIGGER meridian_update AFTER UPDATE ON "public"."orders" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION meridian.capture_b2852c9ff2f8_update();
ALTER TABLE ONLY "public"."orders" ENABLE ALWAYS TRIGGER meridian_update;
CREATE OR REPLACE TRIGGER meridian_delete AFTER DELETE ON "public"."orders" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION meridian.capture_b2852c9ff2f8_delete();
ALTER TABLE ONLY "public"."orders" ENABLE ALWAYS TRIGGER meridian_delete;
CREATE OR REPLACE TRIGGER meridian_truncate BEFORE TRUNCATE ON "public"."orders" FOR EACH STATEMENT EXECUTE FUNCTION meridian.capture_b2852c9ff2f8_truncate();
ALTER TABLE ONLY "public"."orders" ENABLE ALWAYS TRIGGER meridian_truncate;
CREATE OR REPLACE TRIGGER meridian_number BEFORE INSERT OR UPDATE OR DELETE ON "public"."orders" FOR EACH STATEMENT WHEN (session_user <> 'meridian_apply_0123456789') EXECUTE FUNCTION meridian.number_statement();
ALTER TABLE ONLY "public"."orders" ENABLE ALWAYS TRIGGER meridian_number;
