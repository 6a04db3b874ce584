select 1e5, 1.5, .5, 1., 1.5e-3, $1, -1, +1, - - 1;
select a || b, a % b, a ^ b, a != b, a <> b, a ~ 'x', a !~* 'y', @ a, |/ a;
select c.relname operator(pg_catalog.~) '^(t)$' collate pg_catalog.default from pg_class c;
select left(a, 1), right(a, 1), date(a), day from t;
select /*+ hint */ 1 /* a /* nested */ b */ -- end;
select year, month, day, date, timestamp, oid, type, name, value, rank from t;
select a into temp x from t;
select a into table x from t
