select a, b, count(*), grouping(a), grouping(b) from w group by rollup (a, b);
select a, b, sum(c), grouping(a, b) from r group by cube (a, b) having count(*) > 1;
select a, count(distinct b) from r group by grouping sets ((a), ()) order by a, 2;
select r.a + 1, sum(s.b) from r join s on r.k = s.k where r.c > 0 group by rollup (r.a + 1);
select a, nullif(b, k), nullif(a, 1) from w
