select bb from v where a = 1;
select count(*) from (select distinct a, b from t) s;
select a, rank() over (order by b) r from t qualify r = 1;
select * exclude (b, c, d, e) from t;
select x.* from t join lateral (select t.a + u.x as z from u where u.a = t.a) x on true;
select approximate count(distinct a) from t;
table u;
select "T".a from t as "T"
