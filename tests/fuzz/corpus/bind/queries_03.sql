select r.a, s.b from r, s where r.a = s.b and r.c > 0 and s.c < 3;
select r.k, w.k from r left join w on r.a = w.a and w.b > 1;
select r.k, w.k from r left join w on r.a = w.a where w.b > 1;
select r.k, w.k from r left join w on r.a = w.a where w.b is null;
select * from r full join s on r.k = s.k where r.a is null or s.a is null;
select d.k, w.k from d left join w on d.a = w.a;
select d.k, w.k from w right join d on d.a = w.a;
select * from r cross join (select max(k) m from s) x
