\set id :base + random(1, 10000)
update bench set payload = repeat(md5(random()::text), 8) where id = :id;
