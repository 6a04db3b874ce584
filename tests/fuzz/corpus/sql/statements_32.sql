select lag(a) ignore nulls over (order by b), lag(a respect nulls) over w, first_value(a ignore nulls) over w, last_value(a) respect nulls over w from t;
select pg_catalog.lower(a), s.f(x, y), x.y.z.f(a), $0 from t;
select sum(a) over (rows between unbounded following and current row) from t;
select sum(a) over (rows between current row and unbounded preceding) from t;
select sum(a) over (rows between current row and 1 preceding) from t;
select sum(a) over (rows between 1 following and current row) from t;
select a from t limit 99999999999999999999;
select a from a.b.c.d.e
