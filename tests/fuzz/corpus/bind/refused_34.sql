analyze nosuch;
grant select on t to u;
revoke select on t from u;
comment on table t is 'x';
alter table t add column z int;
lock table t;
show table v;
show view t
