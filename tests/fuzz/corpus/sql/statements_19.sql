alter table t set schema s;
alter table t alter column c type varchar(20);
alter table t alter column c set default 1, alter column d drop not null;
alter table t alter diststyle key distkey a, alter compound sortkey (a, b);
alter table t alter distkey a;
alter table t alter sortkey none;
alter table t add constraint c primary key (a);
alter table t append from u
