create table z as select 1, 1;
create table z (a, b) as select 1;
create table z as select sum(a) over w from t;
create view t as select 1;
create view v as select 1;
create or replace view t as select 1;
create or replace view v as select * from v;
create view z as select 1, 2 a, 3 a
