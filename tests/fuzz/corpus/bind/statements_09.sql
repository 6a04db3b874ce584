select case a when 1 then 'x' else e end from t where (a, b) = (1, 2) and (a, b) < (3, 4) and (a, b) in ((1, 2), (3, 4));
select count(distinct a), sum(a) filter (where g), count(*) from t;
select a as p, p * 2 as q, q + p from t;
select 1 from t where a in (b, 1, 2, null) and a not in (1, 2) and 5 in (a, b);
select sum(a) over (order by b) from t qualify row_number() over (order by b) < 3;
select a, sum(b), grouping(a) from t where c > 1 group by rollup (a) having sum(b) > 1;
select a from t group by cube (a, b + 1);
select a, b, c from t group by a, grouping sets ((b), (b, c), ())
