create view z (p, q) as select t.a, (select max(x) from u) from t, other.w where m = a;
create or replace view z as with t as (select 1 a) select a from t, u u2, other.w;
create view z (a, b, c) as select 1;
create view z as select a from nowhere with no schema binding;
drop view v; drop table v; drop view t; drop table pg_class
