select sum(a) over (groups current row) from t;
select sum(a) over (rows -1 preceding) from t;
select sum(a) over (rows 'x' preceding) from t;
select sum(a) over (rows 1.5 preceding) from t;
select sum(a) filter (where sum(b) > 1) from t;
select sum(a) filter (where b) from t;
select extract(foo from d) from t;
select date_part(e, d) from t
