select a::decimal(39,2) from t;
select a::decimal(5,6) from t;
select a::varchar(0) from t;
select a::varchar(70000) from t;
select a::char(5000) from t;
select a::int(5) from t;
select a::decimal(1,2,3) from t;
select a::decimal(x) from t
