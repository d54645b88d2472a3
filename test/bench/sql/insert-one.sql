insert into stream (payload) values (repeat(md5(random()::text), 8));
