select interval 'foo';
select d::int from t;
select g::date from t;
select a::boolean::interval from t;
select a::nosuch from t;
select a::super from t;
select a::timestamptz from t;
select a::int[] from t
