select sum(distinct a) over () from t;
select rank() filter (where g) over () from t;
select sum(a) over w from t;
select sum(a) over (w partition by b) from t window w as (partition by a);
select sum(a) over (w order by b) from t window w as (order by a);
select sum(a) over (w) from t window w as (rows unbounded preceding);
select sum(a) over (w) from t window w as (w);
select sum(a) over (range 1 preceding) from t
