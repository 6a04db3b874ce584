merge into t using u on t.a = u.a when matched then update set b = u.a, d = default when not matched then insert (a, b) values (u.a, default);
merge into t x using (select * from u) u on x.b = u.a and x.c > 1 when matched then delete when not matched then insert values (u.a);
merge into u using (select a, x, y from u) s on u.a = s.a remove duplicates;
with c as (select * from u) merge into u using c on u.a = c.a and u.x = c.x remove duplicates;
explain merge into t using u on true remove duplicates;
update v set a = 1;
delete from v;
merge into v using u on true remove duplicates;
merge into t using t x on true remove duplicates;
