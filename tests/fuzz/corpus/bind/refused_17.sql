select substring(e) from t;
select substring(e, 'x') from t;
select sqrt(e) from t;
select listagg(e, ',') from t;
select regexp_replace(e, 'x', 'y') from t;
select upper(distinct e) from t;
select upper(*) from t;
select count() from t
