select a, rank() over (order by sum(b)) from t group by a;
select x.z from t, lateral (select t.a + u.x as z from u where u.a = t.b) x;
select bb from v where a > 1 order by bb;
insert into u (y, a) select 'abc', b from t;
insert into u values (1, 2, 'x'), (default, 1 + 1, null);
select case a when 1 then 'x' else e end from t where (a, b) = (1, 2) and (a, b) < (3, 4) and (a, b) in ((1, 2), (3, 4));
select count(distinct a), sum(a) filter (where g), count(*) from t;
select a as p, p * 2 as q, q + p from t
