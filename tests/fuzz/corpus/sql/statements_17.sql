create user u password disable;
alter user u rename to v;
alter user u password 'y';
grant select, insert on table a, s.b to public, group g with grant option;
grant all privileges on all tables in schema s to u;
grant usage on schema s to u;
revoke grant option for select on t from u cascade;
comment on table t is 'x'
