select a from t union select a, b from t;
select a from t union select e from t;
select a from t intersect all select a from t;
values (1), (1, 2);
values (1), ('x');
values (default);
with x as (select 1), x as (select 2) select * from x;
with x (a, b) as (select 1) select * from x
