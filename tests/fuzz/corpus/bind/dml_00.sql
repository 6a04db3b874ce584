insert into other.w default values;
insert into other.w values (1, default, default);
insert into t (a, e, c) values ($1, $2, $3);
insert into t (a, d) select $1, $2;
explain insert into other.w (m) values (1), (2);
prepare p as select 1; execute p; declare c cursor for select a from t; fetch 1 from c; close c; begin; set x to 1; show x; discard all
