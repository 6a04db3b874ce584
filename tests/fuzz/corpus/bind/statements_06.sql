select nullif(a, b), nullif(c, 1), nullif(e, 'x') from t;
select cot, t.cot from (select 1 cot) t;
select a + 1, sum(b) / 2 from t where c > 1 group by a + 1 having count(*) > 2;
select x from u where x in (select a from t where t.b = u.a) and a not in (select b from t);
select a from t where exists (select 1 from u where u.a = t.a) and not exists (select 1 from u where u.x = t.b);
select (select max(x) from u where u.a = t.a) from t;
select a from t order by b, a + 1 limit 2;
select distinct a, b from t order by 2 desc
