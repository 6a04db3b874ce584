select x from u where x in (select a from t where t.b = u.a) and a not in (select b from t);
select a from t where exists (select 1 from u where u.a = t.a) and not exists (select 1 from u where u.x = t.b);
select (select max(x) from u where u.a = t.a) from t;
select a from t order by b, a + 1 limit 2;
select distinct a, b from t order by 2 desc;
select u.x, t.b from u left join t on u.a = t.a and t.b > 3;
select a, t.b, u.x from t full join u using (a);
select 1 from u where a < 2.0 and a < 2.5 and x = 3000000000
