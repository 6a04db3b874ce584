select f % 2 from t;
select - e from t;
select - true;
select a ~ 'x' from t;
select a & b from t;
select a <-> b from t;
select a = e from t;
select d = e from t
