select k from r where a > any (select a from s where s.k = r.k);
select k from r where a >= all (select a from s where s.k = r.k);
select k from r where a < all (select a from w);
select k from r where a <> all (select a from s);
select k from r where a = all (select a from s where s.k = r.k);
select k, a <= any (select b from s where s.a = r.a) from r;
select k, (select max(a) from s) from r;
select k, (select count(*) from s where s.k = r.k) from r
