select k from r where a not in (select a from w where w.k = r.k);
select k from r where a in (select a from w where w.k = r.k and w.b > r.b);
select k from r where a in (select max(a) from w where w.k = r.k);
select k from r where (a, b) in (select a, b from s);
select k from r where (a, b) not in (select a, b from s where a is not null);
select k from r where a = 1 or exists (select 1 from s where s.k = r.k);
select k from r where a = 1 or b in (select b from s where s.k = r.k);
select k, a in (select a from s) from r
