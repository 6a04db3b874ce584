select k, (select sum(x.a) from s x where x.k = r.k and x.a > (select avg(y.a) from s y where y.k = x.k)) from r;
select k from r order by (select max(a) from s where s.k = r.k), k, a, b, c;
select case when exists (select 1 from s where s.k = r.k) then 'y' else 'n' end from r;
select r.k, w.k from r left join w on r.a = w.a and w.b > (select min(b) from s where s.k = w.k);
select count(distinct (select max(a) from s where s.k = r.k)) from r;
select distinct (select count(*) from s where s.k = r.k) from r;
select k, (select x.m from (select k, max(a) m from s group by k) x where x.k = r.k) from r;
select k, (select max(a) over () from s where s.k = r.k limit 1) from r
