select a from t limit true;
select top 5 a from t limit 3;
select 1 + true;
select a + e from t;
select a || b from t;
select d + d from t;
select d * 2 from t;
select e - 1 from t
