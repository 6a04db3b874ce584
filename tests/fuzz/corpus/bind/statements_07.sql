select u.x, t.b from u left join t on u.a = t.a and t.b > 3;
select a, t.b, u.x from t full join u using (a);
select 1 from u where a < 2.0 and a < 2.5 and x = 3000000000;
select 1 from t where c = 1 and c < 1.50 and c > 1.505 and c in (1, 2.5, 2) and i = 5 and i < 100000 and f > 1 and e = 'x' and j = 'toolong';
select 1 from t where d <= date '1998-12-01' - interval '90 day' and d < '2024-01-01' and d > timestamp '2024-01-01 10:00' and d = h and h >= d + interval '1 month';
select 1 from t where d between '1995-01-01' and date '1995-01-01' + interval '1 year' and a not between 1 and 2 and a between symmetric 5 and b;
select a from t union all select x from u union all select b from t union all select 1;
select a from t except select x from u order by 1
