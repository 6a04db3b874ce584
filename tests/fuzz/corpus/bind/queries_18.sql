select k, a, row_number() over (partition by k order by a, b, c) from r;
select k, a, rank() over (partition by a order by b) from w;
select a, sum(b) over (partition by a), count(*) over () from w;
select a, sum(b) over (partition by a order by c) from w;
select k, n from (select k, row_number() over (partition by k order by a, b, c) n from r) x where n = 1;
select k, n from (select k, a, rank() over (partition by k order by a) n from r) x where k = 2;
select a, sum(m), rank() over (order by sum(m) desc) from (select a, b m from w) x group by a;
select d.a, count(*) over (partition by d.b) from d
