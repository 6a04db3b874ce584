abort;
savepoint s;
release savepoint s;
rollback to savepoint s;
rollback work to s;
set search_path to a, b;
set session x = on;
set local statement_timeout to 100
