select a, b from r union select b, a from w;
select a from r intersect select a from w;
select a, b from d except select a, b from w;
select a from r union all select a from d union all select k from w;
select x from (select a x from r union all select b from s) y where x > 1;
select x, count(*) from (select a x from r union all select b from d) y group by x;
(select a from r order by a limit 2) union all (select b from s order by b limit 2);
select k from r where k in (select a from s union select b from w)
