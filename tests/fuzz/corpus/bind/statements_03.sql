values (1, 'a', null), (2.5, 'bcd', date '2024-01-01');
select x.a, (select max(b) from t), (select e from t limit 1) as y from (select a from t) x;
select a as x, x + 1 as y, y * 2 as z from t;
select e as kk, count(*) from t group by kk;
select a + b as s, count(*) from t group by 1;
select a, count(*) n from t group by all order by n desc;
with w (p, q) as (select a, b from t) select p, q, w.* from w;
select * from v
