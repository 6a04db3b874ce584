select k from r where a > 2 and a < 1;
select k from r where a >= 2 and a <= 2;
select k from r where a > 2 and a <= 2;
select k from r where a = 2 and a >= 1 and a < 3;
select k from r where a = 2 and a = 3;
select count(*) from w where t = 'a' and t = 'a ' and t >= 'a';
select r.k from r join s on r.a = s.a where r.a > 1 and s.a < 3;
select * from r join s on r.k = s.k
