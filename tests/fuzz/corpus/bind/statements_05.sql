select public.t.a, dev.public.t.b from t;
select pg_catalog.upper(e), pg_type_is_visible(1), has_table_privilege('t', 'select'), obj_description(1, 'x') from t;
select 1 as select, 2 as "Group";
select (1), ((a)), (a + 1) * 2 from t where 1 and a > 0;
select sum(a) filter (where g), count(*) filter (where a > 1) from t;
select count(*) filter (where g) over (), sum(a) filter (where g) over () from t;
select h::date = '2024-01-01', d::varchar || 'x', (d + 1)::timestamp from t;
select a, e, count(*), grouping(a), grouping(a, e) g from t group by rollup (a, e)
