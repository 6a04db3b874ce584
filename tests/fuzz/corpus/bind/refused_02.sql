select a.b.c.d.e from t;
select a from t join u on t.a = u.a;
select 1 from t join u using (b);
select 1 from t join u using (zz);
select 1 from (t join u using (a)) join (select 1 a, 2 a) s using (a);
select 1 from t tt (x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12);
select 1 from (select 1) s (a, b);
select a from t where sum(a) > 1
