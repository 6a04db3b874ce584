select 1 from t where c = 1 and c < 1.50 and c > 1.505 and c in (1, 2.5, 2) and i = 5 and i < 100000 and f > 1 and e = 'x' and j = 'toolong';
select 1 from t where d <= date '1998-12-01' - interval '90 day' and d < '2024-01-01' and d > timestamp '2024-01-01 10:00' and d = h and h >= d + interval '1 month';
select 1 from t where d between '1995-01-01' and date '1995-01-01' + interval '1 year' and a not between 1 and 2 and a between symmetric 5 and b;
select a from t union all select x from u union all select b from t union all select 1;
select a from t except select x from u order by 1;
with w as (select a, b from t) select w1.a from w w1 join w w2 on w1.a = w2.b;
with w as (select 1), z as (select a from t) select * from z;
select rank() over (partition by a order by b), sum(c) over (partition by a order by b rows 2 preceding), count(*) over (order by c desc) from t
