select current_date, now(), sysdate, getdate(), current_user, current_schema, current_schema(), current_database(), pg_backend_pid(), version();
select date '2024-01-31' + interval '1 month', timestamp '2024-01-01 10:00' - interval '1' day, '1 day' + interval '1 hour', interval '2' month, d + '1 day', date '2024-01-01' + 30 from t;
select row_number() over (), rank() over (order by a), percent_rank() over (order by a), ntile(4) over (order by a), lag(e) over (order by a), lag(a, 1, 0) over (order by a), first_value(c) over (order by a), sum(a) over (partition by e), avg(c) over (), count(*) over () from t;
select a from t union all select b from t;
select a, 'x' from t union select 1.5, e from t;
select 'a' union select 'bcd' union all select null;
select d from t union select h from t;
select null union select 1
