create or replace function f(a int) returns int as $$ select 1 $$ language sql;
