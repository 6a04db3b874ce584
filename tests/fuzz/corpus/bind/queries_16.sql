select k, (select max(s.a + r.a) from s where s.k = r.k) from r;
select k, (select max(a) from s where s.k = r.k having count(*) > 1) from r;
select k, (select max(x) from (select count(*) x from s where s.k = r.k group by a) y) from r;
select k from r where (select count(*) from s where s.k = r.k) = (select count(*) from w where w.k = r.k);
select sum((select max(a) from s where s.k = r.k)) from r;
select a, (select max(b) from s where s.a = r.a) from r group by a;
select a, count(*) from r group by a having count(*) > (select min(c) from s where s.a = r.a);
select k, (select (select max(w.a) from w where w.k = s.k and w.b = r.b) from s where s.k = r.k order by 1 limit 1) from r
