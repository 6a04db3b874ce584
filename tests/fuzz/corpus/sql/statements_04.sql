select a::double precision, a::character varying(max), a::timestamp without time zone;
select a::timestamp with time zone, a::time(3), a::int[], a::pg_catalog.int4;
select trim(both 'x' from y), trim(y), trim(leading from y), substring(a from 1 for 2), substring(a, 1);
select position('a' in b), a at time zone 'utc', a collate "C", arr[1], array[1,2], (f(x))[1];
select current_date, current_timestamp(3), sysdate, user, current_schema, current_schema();
select a is null, a is not true, a is unknown, a isnull, a notnull, a is not distinct from b;
select a = any (select 1), a <> all (select 2), a < some (select 3), a = any (array[1]);
select exists (select 1), not exists (select 2), a in (select 3), a not in ((select 4))
