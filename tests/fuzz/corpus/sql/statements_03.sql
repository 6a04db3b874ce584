(select 1) union all (select 2 order by 1) intersect select 3 except select 4 minus select 5 order by 1;
select ((select 1) union select 2), ((1)), ((1,2)) = (3,4);
with a as (select 1), b(x, y) as materialized (select 1, 2) select * from a, b;
with recursive r as (select 1 union all select a + 1 from r) select * from r;
with time as (select 1) select * from time;
values (1, 'a'), (2, 'b') order by 1;
table t;
select a::int::varchar(10), cast(a as decimal(10,2)), convert(int, a), try_cast(a as int)
