select grouping(a, b), a, sum(c) from t group by rollup (a, b), cube (a), grouping sets ((a), (), (a, b)) having grouping(a) = 0;
with recursive r as (select 1 a union all select a + 1 from r where a < 5) select * from r;
select listagg(distinct e, ',') within group (order by e desc), percentile_cont(0.5) within group (order by a), median(a), approximate count(distinct a) from t;
select distinct on (a) a, b from t order by a, b desc nulls last limit 5 offset 2;
select a from t intersect select a from u except select 1 minus select 2 order by 1;
select t1.a, s.x from t t1 left join lateral (select x from u where u.a = t1.a) s on true full join u u2 using (a) where t1.a = some (select 1);
update t set a = u.x, c = default from u where t.a = u.a; delete from t using u where t.a = u.a
