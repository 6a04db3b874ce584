select date_trunc('dow', h) from t;
select dateadd(epoch, 1, d) from t;
select dateadd(month, 'x', d) from t;
select extract(year from e) from t;
select extract(day from interval '1 day');
select current_setting('nosuch');
select current_date(1);
select $1 from t where $2 is null and $4 = 1
