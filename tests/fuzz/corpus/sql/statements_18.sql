comment on column s.t.c is null;
lock table t in access exclusive mode;
alter table t add column a int default 5 encode zstd;
alter table t drop column a cascade;
alter table t drop column if exists a;
alter table if exists t rename to u;
alter table t rename column a to b;
alter table t owner to u
