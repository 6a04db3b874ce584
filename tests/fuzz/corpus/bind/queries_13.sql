select k, a not in (select b from s where s.k = r.k) from r;
select k, exists (select 1 from s where s.k = r.k and s.a = r.a) from r;
select k from r where exists (select 1 from s where s.k = r.k and exists (select 1 from w where w.a = s.a and w.b = r.b));
select k from r where a in (select a from s where b in (select b from w where w.k = r.k));
select k from r where exists (select a from s where s.k = r.k group by a having count(*) > 1);
select k from r where exists (select 1 from s where s.k = r.k union all select 1 from w where w.a = r.a);
select k from r where 2 in (select a from s where s.k = r.k);
select k from r where 2 not in (select a from s)
