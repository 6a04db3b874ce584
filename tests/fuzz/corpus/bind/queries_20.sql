insert into r select * from d;
insert into w select * from d where a > 0;
insert into r values (1, 2, 3, 4, 'x', null), (2, 3, 4, 5, 'y', date '2024-01-01');
insert into w (c, k) values (1, 2), (3, 4);
insert into d (c) values (1);
insert into r (k, c) select a, count(*) from w group by a;
insert into r (k, c) select k, (select max(c) from s where s.k = w.k) + 1 from w where k is not null order by k limit 3;
insert into r (k, c) with x as (select k, c from s) select x.k, y.c from x, x y
