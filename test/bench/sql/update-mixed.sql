\set shared random(1, 100)
\if :shared = 1
\set id random(1, 100)
update bench set payload = repeat(md5(random()::text), 8) where id = :id;
\else
\set id :base + random(1, 10000)
update bench set payload = repeat(md5(random()::text), 8) where id = :id;
\endif
