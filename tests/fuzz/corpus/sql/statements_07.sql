create or replace view v (a, b) as select 1, 2 with no schema binding;
create schema s authorization u quota 10 gb;
create schema if not exists s;
create schema authorization u;
drop table if exists a, s.b cascade;
drop view v restrict;
drop schema s;
drop user if exists u
