select case a when 'x' then 1 end from t;
select coalesce(a, 'x') from t;
select coalesce(a, g) from t;
select nullif(a, d) from t;
select a in (1, 'x') from t;
select a in (1, g) from t;
select (a, b) in ((1, 2), (3, 4, 5)) from t;
select (a, b) = (1, 2, 3) from t
