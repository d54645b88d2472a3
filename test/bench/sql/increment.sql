\set id random(1, 10)
update counter set n = n + 1 where id = :id;
