select k from r where not exists (select * from s where s.k = r.k and s.a <> r.a);
select k from r where exists (select * from s where s.a > r.a);
select k from r where exists (select 1 from s);
select k from r where not exists (select 1 from s where a > 100);
select k from r where a in (select a from w);
select k from r where a not in (select a from w);
select k from r where a not in (select c from w);
select k from r where c not in (select c from w where c > 1)
