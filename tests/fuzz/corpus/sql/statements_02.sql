select * from ((a join b on true) join c on true) j;
select * from (select 1) s, lateral (select 2) l (a), (values (1,2)) as v(a, b);
select * from generate_series(1, 10) g, lateral f(g) as h(x);
select a from t group by rollup(a, b), cube(c), grouping sets ((a), ()), 1 having x qualify y;
select a from t group by all order by 1 desc nulls last, a nulls first limit 5 offset 2;
select a from t offset 5 rows fetch first 10 rows only;
select a from t fetch next row only;
select a from t limit all
