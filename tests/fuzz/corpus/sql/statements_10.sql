copy (select 1) to stdout with (format text);
copy t to stdout;
begin;
begin transaction isolation level serializable, read only;
start transaction read write isolation level repeatable read;
commit work;
end transaction;
rollback
