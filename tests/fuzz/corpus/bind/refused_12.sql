select a::other.int4 from t;
select try_cast(a as int) from t;
select row(1, 2);
select array[1, 2];
select 12345678901234567890123456789012345678901234567890;
select case when a then 1 end from t;
select case when g then 1 else 'x' end from t;
select case when g then a else g end from t
