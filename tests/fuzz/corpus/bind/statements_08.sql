with w as (select a, b from t) select w1.a from w w1 join w w2 on w1.a = w2.b;
with w as (select 1), z as (select a from t) select * from z;
select rank() over (partition by a order by b), sum(c) over (partition by a order by b rows 2 preceding), count(*) over (order by c desc) from t;
select a, rank() over (order by sum(b)) from t group by a;
select x.z from t, lateral (select t.a + u.x as z from u where u.a = t.b) x;
select bb from v where a > 1 order by bb;
insert into u (y, a) select 'abc', b from t;
insert into u values (1, 2, 'x'), (default, 1 + 1, null)
