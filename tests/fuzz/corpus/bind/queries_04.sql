select r.k from r join s on r.k = s.k join w on w.a = s.a join d on d.b = w.b;
select r.k, s.k, w.k from r left join s on r.a = s.a left join w on s.b = w.b;
select r.k from r left join (s join w on s.k = w.k) on r.k = s.k and r.a = w.a;
select x.a, y.b from r x join r y on x.k = y.k and x.a < y.a;
select r.k from r join s on r.k = s.k and r.k = 2 join d on d.k = s.k;
select r.k from r join s using (k);
select * from r natural join s;
select r.a from r, s where (r.a = 1 and s.a = 2) or (r.a = 2 and s.a = 1)
