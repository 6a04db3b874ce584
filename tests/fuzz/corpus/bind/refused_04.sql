select sum(a) from t group by sum(a);
select a from t group by rank() over ();
select a from t group by 5;
select a from t group by 0;
select a from t order by 2;
select a from t group by a having b > 1;
select a from t group by a order by b;
select count(*) from t having a > 1
