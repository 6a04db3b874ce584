select a from t group by rollup (sum(a));
select distinct a from t order by b;
select distinct on (a) a from t;
select a x, b x from t order by x;
select a from t limit -1;
select a from t offset -2;
select a from t limit 'x';
select a from t limit a
