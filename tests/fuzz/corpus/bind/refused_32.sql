create view z (a, b) as select 1;
create view z as create schema public;
create schema pg_foo;
drop table nosuch;
drop table v;
drop view t;
drop schema nosuch;
truncate v
