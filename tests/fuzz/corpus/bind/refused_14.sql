select (a, b) = 1 from t;
select a in (select a, b from t) from t;
select (a, b) in (select a from t) from t;
select a in (select e from t) from t;
select a = (select a, b from t) from t;
select a > all (select g from t) from t;
select a = any (array[1]) from t;
select a like 'x' from t
