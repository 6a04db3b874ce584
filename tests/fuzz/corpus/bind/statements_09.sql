select 1 from t where a in (b, 1, 2, null) and a not in (1, 2) and 5 in (a, b);
select sum(a) over (order by b) from t qualify row_number() over (order by b) < 3
