select sum(*) from t;
select sum(a, b) from t;
select sum(e) from t;
select avg(d) from t;
select min(g) from t;
select bool_and(a) from t;
select stddev(e) from t;
select sum(a) within group (order by a) from t
