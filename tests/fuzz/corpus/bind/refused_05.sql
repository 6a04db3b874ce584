select (select u.x from u where u.a = t.b) from t group by a;
select a s, sum(s) z, sum(z) from t group by a;
select b from t group by rollup (a);
select grouping(b) from t group by rollup (a);
select a from t where grouping(a) = 1 group by a;
select a from t group by cube (a, b, c, d, e, f, g, h);
select (select max(x) from u where u.a = t.a) from t group by rollup (a);
select sum((select 1)) from t group by rollup (a)
