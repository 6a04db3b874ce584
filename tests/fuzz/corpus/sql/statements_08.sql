truncate table t;
insert into t values (1, default), (2, null);
insert into t (a, b) select 1, 2;
insert into t (select 1);
insert into t with x as (select 1) select * from x;
insert into t default values;
update t set a = 1, b = default from u where t.a = u.a;
update t as x set a = x.a + 1
