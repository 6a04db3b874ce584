select * from r;
select a + 1, coalesce(b, 0) * 2 from w where a > 1 and b is not null;
select a, b from d where a between 1 and 2 or b in (0, 3);
select count(*) from w;
select 1, 'x' || 'y';
values (1, 2), (3, 4);
select k from r order by k desc nulls last, a limit 3;
select a from (select a from w order by a, k, b, c limit 5) x where a > 0
