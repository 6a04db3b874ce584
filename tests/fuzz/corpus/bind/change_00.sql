delete from t where a = 1;
delete t x using u, other.w where x.a = u.a and x.b = any (select a from u);
with c as (select a from u) delete from t using c where t.a = c.a;
update t set a = b + 1, b = default where c = 2;
update t as x set b = u.x, e = u.y from u where x.a = u.a;
update t set a = u.a, e = u.x from u left join t y on u.a = y.a where t.b = u.a;
update t set a = (select max(a) from u where u.a = t.b) where exists (select 1 from u);
with c as (select * from u) update t set b = c.a from c;
