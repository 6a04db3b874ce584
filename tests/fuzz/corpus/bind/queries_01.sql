select a, b from w order by 1, 2 nulls first offset 2 rows;
select distinct a, b from w;
select case when a = 1 then 'one' when a is null then 'none' else t end from r;
select t from r where t like 'a%';
select e + 1, e - date '2024-01-01' from r where e >= date '2024-01-02';
select extract(year from e), extract(day from e), count(*) from w group by 1, 2;
select k from w where e < date '2024-01-01' + interval '3 days';
select k from r where a > 1 and a > 2 and a >= 1
