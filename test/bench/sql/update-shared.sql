\set id random(1, 100)
update bench set payload = repeat(md5(random()::text), 8) where id = :id;
