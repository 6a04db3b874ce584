select a = g from t;
select d = '2024-13-01' from t;
select a = 'x' from t;
select c > 'abc' from t;
select 'abc'::int;
select 99999999999::int;
select '2024-02-30'::date;
select date 'tomorrowx'
