select sum(a) filter (where b), count(distinct a), approximate count(distinct a) from t;
select listagg(a, ',') within group (order by b) from t;
select percentile_cont(0.5) within group (order by b) over (partition by c) from t;
select top 5 a b, c as select, d value from t;
select distinct on (a) a from t;
select * exclude (a, b) from t;
select t.*, s.t.* from s.t;
select * from a join b using (x) left outer join c on a.x = c.x cross join d natural full join e
