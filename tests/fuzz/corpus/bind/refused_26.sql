insert into t (i) values (100000);
insert into t (a) values (a);
insert into t (a) values (sum(1));
insert into t (a) values (1), (2, 3);
insert into t (a) select e from t;
insert into t (a) select 1, 2;
insert into t (a, b) select 1;
update t set a = 1
