select a from t where rank() over () = 1;
select sum(sum(a)) from t;
select sum(rank() over ()) from t;
select rank() over (order by rank() over ()) from t;
select a from t group by b;
select a, sum(b) from t;
select t.e, count(*) from t group by a;
select a + 1 from t group by a + 2
