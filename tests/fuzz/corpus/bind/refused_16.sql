select 1 from t having a;
select 1 from t join u on 'x';
select nosuch(a) from t;
select nosuch.f(a) from t;
select abs('x'::varchar) from t;
select abs(a, b) from t;
select upper(g) from t;
select length() from t
