select x.a from (select a, count(*) n from r group by a) x join (select a, count(*) n from r group by a) y on x.n = y.n and x.a < y.a;
select * from (select * from (select a, b from w) x where a > 0) y where b > 0;
select z.k from (select k, a from r where a > 0) z join (select k, b from s) w on z.k = w.k where w.b = z.a;
insert into r select * from s;
insert into r select a, k, b, c, t, e from s;
insert into w select * from r where a > 1;
insert into d select * from w;
insert into d select * from d
