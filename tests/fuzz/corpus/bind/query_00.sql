select (select max(a) from u) between symmetric 1 and 2, e collate "C", nullif((select a from u limit 1), 3) from t;
select (a, b) in (select a, x from u), a <> all (select a from u), a = any (select x from u), (a, b) = any (select a, x from u), not a = all (select 1) from t;
select array(select e from t), a = any (array[1, 2]), a <> all ('{1,2}'), (a, b) = (1, 2), (a, b) < (1, 2), (a, b) <> (select 1, 2) from t;
select sum(a) over w2 from t window w as (partition by e), w2 as (w order by a rows between $1 preceding and 2 following);
select sum(a) over (order by a rows between 1.5 preceding and current row), sum(a) over (rows between -1 preceding and a following) from t;
select $1 = a, $1 is null, $1 between a and b, $2 || e, $3 < $3, d < h, h >= d, '2020-01-01' < d, a = '5' from t
