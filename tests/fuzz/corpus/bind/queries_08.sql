select x, count(*) from (select k, count(*) x from r group by k) y group by x;
select a + b, count(*) from w group by a + b;
select r.a, count(s.k) from r left join s on r.k = s.k group by r.a;
select k, a from r group by k, a having k > 1 and count(*) > 0;
select sum(case when a > 1 then b else 0 end), count(case when b = 1 then 1 end) from w;
select t, min(e), max(t) from w group by t;
select a, count(*) from w group by a order by count(*) desc, a limit 2;
select a from r union all select a from s
