select count(*) from r join s on r.a + 1 = s.a;
select count(*) from r join s on r.a = s.a or r.b = s.b;
select count(*) from r, s, w, d where r.k = s.k and s.a = w.a and w.b = d.b and d.c = r.c;
select r.t, s.t from r join s on r.t = s.t;
select r.e from r join s on r.e = s.e;
select 1 from r join s on true where r.k = 1;
select r.k from r join s on r.k = s.k where 1 = 0;
select r.k, s.k from r left join s on 1 = 0
