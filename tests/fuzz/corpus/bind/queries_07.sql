select k, count(distinct a), sum(c), count(*) from r group by k;
select count(distinct w.a), count(distinct s.b), count(*), max(w.c) from w join s on w.k = s.k;
select count(distinct a), sum(distinct b), sum(distinct c) from w where a > 0;
select k, count(distinct a), count(distinct b) from r group by k having count(distinct c) > 1;
select b, count(distinct a), sum(distinct a), avg(c) from w group by b;
select sum(a) from r where k = 100;
select a, sum(b) from r where k = 100 group by a;
select max(x) from (select k, count(*) x from r group by k) y
