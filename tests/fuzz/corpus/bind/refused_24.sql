with recursive x as (select 1 union all select * from x) select * from x;
with x as (select 1) select * from x join y on true;
select * from f(1);
select a from t order by nosuch;
select a from t union select b from t order by c;
insert into nosuch values (1);
insert into v values (1);
insert into t (zz) values (1)
