select e like 5 from t;
select e like 'x' escape 'ab' from t;
select e similar to 'x' from t;
select a is true from t;
select not a from t;
select a and g from t;
select 1 from t where e;
select 1 from t where a
