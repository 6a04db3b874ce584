with x as (select a, sum(b) m from w group by a) select * from x where m > 1;
with x as (select a, count(*) m from w group by a) select p.a, q.m from x p join x q on p.m = q.m;
with x as (select k, max(a) m from r group by k) select k from x where m = (select max(m) from x);
with x as (select a from r), y as (select a from x where a > 1) select count(*) from x, y where x.a = y.a;
with x as (select k, count(*) n from s group by k), y as (select n, count(*) m from x group by n) select x.k, y.m from x join y on x.n = y.n;
with x as (select distinct a from d) select r.k from r join x on r.a = x.a where exists (select 1 from x where x.a = r.b);
with x as (select count(*) n from w) select n from x union all select n + 1 from x;
select k from r where exists (select * from s where s.k = r.k)
