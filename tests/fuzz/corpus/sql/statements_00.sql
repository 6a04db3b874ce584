select 1;
select * from t where a not in (1,2) and b between 1 and 2 or not c like 'x%' escape '!';
select a not between symmetric 1 and 2, a not ilike 'x', a similar to 'y' from t;
select case when a then b end, case a when 1 then 2 else 3 end from t;
select extract(year from d), interval '1' year, date '1998-12-01' - interval '90' day (3);
select interval '1 day', interval '1-2' year to month, interval '3 4:05' day to second;
select count(*) over (partition by a order by b rows between 1 preceding and current row);
select sum(a) over w, rank() over (w order by b) from t window w as (partition by c)
