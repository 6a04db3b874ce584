select k, (select count(*) + max(a) from s where s.k = r.k) from r;
select k, (select coalesce(sum(a), -1) from s where s.k = r.k) from r;
select k from r where a > (select avg(a) from s where s.k = r.k);
select k from r where a = (select min(a) from s where s.k = r.k and s.b = r.b);
select k from r where a < (select count(*) from s where s.a < r.a);
select k from r where b > (select 0.5 * sum(s.b) from s where s.k = r.k);
select k, (select a from s where s.k = r.k order by a, b, c limit 1) from r;
select k, (select a + r.a from s where s.k = r.k order by 1 limit 1) from r
