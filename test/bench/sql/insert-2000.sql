insert into stream (payload) select repeat(md5(random()::text), 8) from generate_series(1, 2000);
