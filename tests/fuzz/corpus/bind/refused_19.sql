select rank() from t;
select upper(e) over () from t;
select nosuch(e) over () from t;
select rank(a) over () from t;
select ntile() over () from t;
select ntile(e) over () from t;
select lag(a, 'x') over () from t;
select lag(a, 1, 'x') over () from t
