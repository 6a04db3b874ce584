select d + 1, 1 + d, d - 1, d - d, h - h, d + interval '1 day', interval '1 day' + d, h - interval '1 hour', interval '1 day' * 2, d - h from t;
select extract(year from d), extract(epoch from h), date_part(hour, h), date_trunc('month', d), dateadd(month, 1, d), datediff(day, d, h), add_months(d, 1), last_day(h) from t;
select upper(e), length(e), substring(e, 1, 2), left(e, 1), e || j, e || a, 'x' || 'yz', trim(e), replace(e, 'a', 'b'), repeat(e, 2), strpos(e, 'x'), charindex('x', e), position('x' in e), chr(65), ascii(e), md5(e) from t;
select abs(i), ceil(c), floor(f), round(c), round(c, 1), trunc(c, 5), trunc(h), sign(b), sqrt(a), power(a, 2), mod(a, i), pi(), log(a) from t;
select coalesce(a, b), coalesce(a, c), coalesce(i, 1.5), nvl(e, 'abcdefghijklmnopqrstuvwxyz'), nullif(a, 1), greatest(a, b, c), least(d, h), coalesce(null, 'x'), coalesce(j, e) from t;
select case when g then 1 else 2.5 end, case when g then 'a' when a > 1 then 'bcd' end, case when g then e end, nvl2(a, 'x', 'yy'), decode(a, 1, 'a', 'b') from t;
select a = b, a in (1, 2), e like 'x', g and true, not g, a is null, exists (select 1), a between 1 and 2, a is distinct from b from t;
select a::smallint, a::text, e::varchar(5), e::char(3), c::int, a::decimal, a::decimal(10,3), d::timestamp, h::date, '1'::int, cast(a as real), a::bool, int '5', a::float(10) from t
