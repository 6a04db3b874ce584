explain verbose insert into t values (1);
explain (analyze, verbose off, format text) (select 1);
explain create table t as select 1;
prepare p (int, varchar) as select $1, $2;
execute p (1, 'x');
execute p;
deallocate prepare p;
deallocate all
